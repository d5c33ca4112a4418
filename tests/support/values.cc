#include "support/values.h"

std::string Shown(brood_value value)
{
    std::string text(brood_value_print(value, nullptr, 0) + 1, '\0');
    text.resize(brood_value_print(value, text.data(), text.size()));
    return text;
}

std::string Shown(const Message &message)
{
    return message ? Shown(brood_message_value(message.get())) : "error: " + LastWords();
}

std::string Encoded(brood_value value)
{
    brood_message *raw = nullptr;
    if (brood_encode(&raw, value)) {
        return "error: " + LastWords();
    }
    const Message message(raw);
    const brood_view view = brood_as_view(brood_message_value(raw));
    return std::string(static_cast<const char *>(view.data), view.size);
}

Message Decoded(const std::string &bytes)
{
    brood_message *raw = nullptr;
    const int rc = brood_decode(&raw, bytes.data(), bytes.size());
    return Message(rc == 0 ? raw : nullptr);
}

int DecodeError(const std::string &bytes)
{
    brood_message *raw = nullptr;
    const int rc = brood_decode(&raw, bytes.data(), bytes.size());
    brood_message_free(raw);
    return rc;
}

std::string Pickle(const std::string &opcodes)
{
    return "\x80\x04" + opcodes + ".";
}

Message Copy(brood_value value)
{
    brood_message *raw = nullptr;
    const int rc = brood_message_new(&raw, value);
    return Message(rc == 0 ? raw : nullptr);
}

std::string Little(uint64_t x, size_t size)
{
    std::string bytes;
    for (size_t i = 0; i < size; i++) {
        bytes += static_cast<char>(x >> (8 * i) & 0xff);
    }
    return bytes;
}
