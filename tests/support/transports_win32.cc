#include "support/transports.h"

#include <windows.h>

namespace {

using Pair = std::pair<Connection, Connection>;

Pair OwnPipe()
{
    return Pipe();
}

Pair OwnOneWayPipe()
{
    Pair pair = Pipe(BROOD_ONE_WAY);
    std::swap(pair.first, pair.second);
    return pair;
}

Pair NamedPipe(DWORD type, DWORD read_mode)
{
    static int number;
    const std::wstring name = L"\\\\.\\pipe\\brood-test-" + std::to_wstring(GetCurrentProcessId()) +
                              L"-" + std::to_wstring(number++);
    const HANDLE first =
        CreateNamedPipeW(name.c_str(), PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
                         type | read_mode | PIPE_WAIT, 1, 65536, 65536, 0, nullptr);
    const HANDLE second = CreateFileW(name.c_str(), GENERIC_READ | GENERIC_WRITE, 0, nullptr,
                                      OPEN_EXISTING, FILE_FLAG_OVERLAPPED, nullptr);
    if (read_mode != PIPE_READMODE_BYTE) {
        SetNamedPipeHandleState(second, &read_mode, nullptr, nullptr);
    }
    Pair pair(Adopted(reinterpret_cast<brood_handle>(first), true, true),
              Adopted(reinterpret_cast<brood_handle>(second), true, true));
    return pair.first && pair.second ? std::move(pair) : Pair();
}

Pair PipeOfBytes()
{
    return NamedPipe(PIPE_TYPE_BYTE, PIPE_READMODE_BYTE);
}

Pair PipeOfMessages()
{
    return NamedPipe(PIPE_TYPE_MESSAGE, PIPE_READMODE_MESSAGE);
}

} // namespace

std::vector<Transport> Transports()
{
    return {{"pipe of ours", true, true, OwnPipe},
            {"one way pipe of ours", false, true, OwnOneWayPipe},
            {"named pipe of bytes", true, false, PipeOfBytes},
            {"named pipe of messages", true, true, PipeOfMessages}};
}
