/* What LiteLLM's chart calls as `python` in the image. There is no Python here: its migration command becomes
 * `weir migrate`, its way to start the proxy becomes `weir`, and everything else is refused. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define WEIR "/usr/local/bin/weir"

static int ends_with(const char *text, const char *end) {
    size_t all = strlen(text), tail = strlen(end);
    return all >= tail && strcmp(text + all - tail, end) == 0;
}

static int run(char **arguments) {
    arguments[0] = WEIR;
    execv(WEIR, arguments);
    perror(WEIR);
    return 126;
}

static int migrate(void) {
    const char *disabled = getenv("DISABLE_SCHEMA_UPDATE");
    if (disabled && strcasecmp(disabled, "true") == 0) {
        fputs("DISABLE_SCHEMA_UPDATE is set: the schema stays as it is\n", stderr);
        return 0;
    }
    char *arguments[] = {WEIR, "migrate", NULL};
    return run(arguments);
}

int main(int count, char **given) {
    if (count > 1 && ends_with(given[1], "litellm/proxy/prisma_migration.py")) return migrate();
    if (count > 1 && ends_with(given[1], "litellm/proxy/proxy_cli.py")) return run(given + 1);
    if (count > 2 && strcmp(given[1], "-m") == 0 && strncmp(given[2], "litellm", 7) == 0) return run(given + 2);
    fputs("there is no Python in this image; it runs Weir: weir --help\n", stderr);
    return 127;
}
