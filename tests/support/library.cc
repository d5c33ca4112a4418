#include "support/library.h"

#include <cstring>

#if defined(_WIN32)
#include <windows.h>

#include <filesystem>
#else
#include <dlfcn.h>
#endif

#if defined(_WIN32)

Library::Library(const std::string &path)
    : handle_(reinterpret_cast<void *>(
          LoadLibraryW(std::filesystem::u8path(path).make_preferred().c_str())))
{
    if (handle_ == nullptr) {
        words_ = path + ": error " + std::to_string(GetLastError());
    }
}

Library::~Library()
{
    if (handle_ != nullptr) {
        (void)FreeLibrary(static_cast<HMODULE>(handle_));
    }
}

void *Library::Symbol(const char *name) const
{
    void *address = nullptr;
    const FARPROC found = GetProcAddress(static_cast<HMODULE>(handle_), name);
    memcpy(&address, &found, sizeof address);
    return address;
}

#else

Library::Library(const std::string &path) : handle_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL))
{
    if (handle_ == nullptr) {
        words_ = dlerror();
    }
}

Library::~Library()
{
    if (handle_ != nullptr) {
        (void)dlclose(handle_);
    }
}

void *Library::Symbol(const char *name) const
{
    return dlsym(handle_, name);
}

#endif

brood_function FunctionAt(const void *address)
{
    brood_function function = nullptr;
    memcpy(&function, &address, sizeof function);
    return function;
}

brood_function Library::Public() const
{
    return FunctionAt(Symbol("library_public"));
}

template <class Function>
static Function As(const void *address)
{
    Function function = nullptr;
    memcpy(&function, &address, sizeof function);
    return function;
}

brood_function Library::Static() const
{
    return As<brood_function (*)()>(Symbol("library_static"))();
}

const void *Library::Data() const
{
    return As<void *(*)()>(Symbol("library_data"))();
}
