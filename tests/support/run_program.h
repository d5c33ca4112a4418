/* Runs another program as a user would, and keeps what it says. */
#pragma once

#include <string>
#include <utility>
#include <vector>

struct ProgramRun {
    std::vector<std::string> arguments; /* the first is the program's path; UTF-8 on Windows */
    std::string directory;              /* where it runs; "" is here */
    std::string input;                  /* what it finds on standard input */
    std::string input_after;            /* input comes once this text is in the output */
    std::string output_file;            /* Unix: where standard output goes; "" is the result */
    bool unprivileged = false;          /* Unix: if we are root, it runs as somebody else */
};

struct ProgramResult {
    bool ended = false; /* before the time limit, and so did all that shared its output */
    int status = -1;    /* the exit code, or minus the signal; 127 if it could not be started */
    std::string out;
    std::string err;
    bool Says(const std::string &text) const /* on either of them */
    {
        return out.find(text) != std::string::npos || err.find(text) != std::string::npos;
    }
};

/// RunProgram starts the program and waits until it has ended, at most 100 seconds; then it is
/// killed. Throws std::runtime_error when the system refuses what this needs.
ProgramResult RunProgram(const ProgramRun &run);
