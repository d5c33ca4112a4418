#include "support/process_list.h"

#include <brood.h>

#include <chrono>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "support/insides.h"

std::string TemporaryFile(const std::string &name)
{
    static int counter = 0;
    const std::string unique =
        "brood-test-" + std::to_string(inside_pid()) + "-" + std::to_string(counter++) + "-" + name;
    return (std::filesystem::temp_directory_path() / unique).string();
}

std::string ReadFile(const std::string &path)
{
    std::ifstream file(path, std::ios::binary);
    try {
        return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    } catch (const std::exception &) {
        return ""; /* of a process that has just ended */
    }
}

void ShortPause()
{
    std::this_thread::yield();
    std::this_thread::sleep_until(std::chrono::steady_clock::now() + std::chrono::milliseconds(1));
}

double SecondsNow()
{
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration<double>(now).count();
}
