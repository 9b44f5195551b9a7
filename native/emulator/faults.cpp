// SPDX-License-Identifier: Apache-2.0
#include "faults.h"

#include <signal.h>
#include <ucontext.h>

namespace gru4j::emulator {

#if defined(GRU4J_TSAN) || defined(GRU4J_ASAN)

void catch_faults(void (*)(int, const void*)) {
}

#else

namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGFPE};

struct sigaction previous[NSIG];
void (*handle_fault)(int, const void*) = nullptr;

void on_signal(int signal, siginfo_t* info, void* context) {
    // A handler that is left by a change of stacks never gives back its signal mask, so that is done here.
    sigset_t inside;
    pthread_sigmask(SIG_SETMASK, &static_cast<ucontext_t*>(context)->uc_sigmask, &inside);
    handle_fault(signal, info->si_addr);
    pthread_sigmask(SIG_SETMASK, &inside, nullptr);

    const struct sigaction& old = previous[signal];
    if (old.sa_flags & SA_SIGINFO) {
        old.sa_sigaction(signal, info, context);
    } else if (old.sa_handler == SIG_DFL || old.sa_handler == SIG_IGN) {
        sigaction(signal, &old, nullptr); // the instruction faults again, now without us
    } else {
        old.sa_handler(signal);
    }
}

} // namespace

void catch_faults(void (*handle)(int signal, const void* address)) {
    handle_fault = handle;
    for (int signal : kSignals) {
        sigaction(signal, nullptr, &previous[signal]);
        struct sigaction mine = previous[signal];
        mine.sa_flags = (mine.sa_flags & SA_ONSTACK) | SA_SIGINFO;
        mine.sa_sigaction = on_signal;
        sigaction(signal, &mine, nullptr);
    }
}

#endif

} // namespace gru4j::emulator
