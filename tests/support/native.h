/* Handles that did not come from brood: the ends of a pipe of the system. */
#pragma once

#include <brood.h>

#include <string>
#include <vector>

/// NativeHandle closes itself.
class NativeHandle {
  public:
    NativeHandle() = default;
    explicit NativeHandle(brood_handle handle) : handle_(handle)
    {
    }
    NativeHandle(NativeHandle &&other) noexcept : handle_(other.Release())
    {
    }
    NativeHandle &operator=(NativeHandle &&other) noexcept
    {
        Close();
        handle_ = other.Release();
        return *this;
    }
    ~NativeHandle()
    {
        Close();
    }
    brood_handle get() const
    {
        return handle_;
    }
    brood_handle Release()
    {
        const brood_handle handle = handle_;
        handle_ = BROOD_NO_HANDLE;
        return handle;
    }
    void Close()
    {
        brood_handle_close(Release());
    }

  private:
    brood_handle handle_ = BROOD_NO_HANDLE;
};

struct NativePipe {
    NativePipe();
    NativeHandle out; /* reads */
    NativeHandle in;  /* writes */
};

/// NativeInheritable makes handles of several kinds that a program started meanwhile would get.
std::vector<NativeHandle> NativeInheritable();

/// NativeWrite writes a short text into a pipe and tells whether that went well.
bool NativeWrite(brood_handle in, const std::string &text);

/// NativeRead reads what is there, waiting for one byte at least; "" at the end and when it fails.
std::string NativeRead(brood_handle out);

/// NativeIsOpen tells whether the number is a handle of this process.
bool NativeIsOpen(brood_handle handle);

/// NativeIsInherited tells whether programs that this one starts would get it.
bool NativeIsInherited(brood_handle handle);
