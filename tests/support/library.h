/* Shared libraries, loaded as a program loads a plug-in. */
#pragma once

#include <brood.h>

#include <string>

/// Library is loaded while it lives. The path is UTF-8.
class Library {
  public:
    explicit Library(const std::string &path);
    Library(const Library &) = delete;
    Library &operator=(const Library &) = delete;
    ~Library();

    /// Words says why it could not be loaded, empty if it was.
    const std::string &Words() const
    {
        return words_;
    }
    /// Static is the function that it keeps to itself, see tests/module/library.c.
    brood_function Static() const;
    /// Public is the function that it exports.
    brood_function Public() const;
    /// Data is the address of a variable of it.
    const void *Data() const;

  private:
    void *Symbol(const char *name) const;
    void *handle_ = nullptr;
    std::string words_;
};

/// FunctionAt takes any address for a function.
brood_function FunctionAt(const void *address);
