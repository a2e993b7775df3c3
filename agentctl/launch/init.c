// The first process of an agent's PID namespace: reaps what is orphaned there and ends as the agent's command
// does, its only child at the start. Takes no signals and no orders; everything else in the namespace ends
// with it.
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <sysexits.h>

// systemd counts these signals as a clean end, which a first process can't have itself.
static bool is_clean(int signal)
{
    return signal == SIGHUP || signal == SIGINT || signal == SIGTERM || signal == SIGPIPE;
}

static int exit_status(int status)
{
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    return is_clean(WTERMSIG(status)) ? EXIT_SUCCESS : 128 + WTERMSIG(status);
}

int main(int argc, char *argv[])
{
    if (argc != 2)
        return EX_USAGE;
    pid_t command = (pid_t)strtol(argv[1], NULL, 10);
    for (;;) {
        int status = 0;
        pid_t pid = waitpid(-1, &status, 0);
        if (pid == command)
            return exit_status(status);
        if (pid < 0 && errno != EINTR)
            return EX_OSERR;
    }
}
