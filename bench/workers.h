/* Brood's processes that do something as often as they are told. */
#pragma once

#include "bench.h"

#include <brood.h>

#include <vector>

/// Workers are told over a connection each how often, and answer when it is done.
class Workers {
  public:
    Workers() = default;
    Workers(const Workers &) = delete;
    Workers &operator=(const Workers &) = delete;
    ~Workers()
    {
        for (brood_connection *connection : connections_) {
            brood_connection_free(connection);
        }
        for (brood_process *process : processes_) {
            (void)brood_process_join(process, BROOD_FOREVER);
            brood_process_free(process);
        }
    }
    /* `start` starts one that gets this end. */
    template <class Starter>
    void Add(const Starter &start)
    {
        brood_connection *ours = nullptr;
        brood_connection *theirs = nullptr;
        brood_process *process = nullptr;
        Must(brood_pipe(&ours, &theirs, BROOD_DUPLEX), "pipe");
        connections_.push_back(ours);
        const int rc = start(&process, theirs);
        brood_connection_free(theirs);
        Must(rc, "start");
        processes_.push_back(process);
    }
    /* Each does `count`; returns when all have. */
    void Run(uint64_t count)
    {
        for (brood_connection *connection : connections_) {
            Must(brood_send_bytes(connection, &count, sizeof count, BROOD_FOREVER), "send");
        }
        for (brood_connection *connection : connections_) {
            char answer;
            size_t size = 1;
            Must(brood_recv_bytes_into(connection, &answer, &size, BROOD_FOREVER), "receive");
        }
    }

  private:
    std::vector<brood_connection *> connections_;
    std::vector<brood_process *> processes_;
};
