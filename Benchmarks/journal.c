// What reading a journal costs at least: every entry's MESSAGE is asked for, and nothing done with it. Benchmarks/run compiles it.
//   journal DIRECTORY [FIELD=VALUE]...
#include <stdio.h>
#include <string.h>
#include <systemd/sd-journal.h>

int main(int count, char **arguments) {
  sd_journal *journal;
  if (count < 2 || sd_journal_open_directory(&journal, arguments[1], 0) < 0) return 1;
  for (int i = 2; i < count; i++)
    if (sd_journal_add_match(journal, arguments[i], strlen(arguments[i])) < 0) return 1;
  if (sd_journal_seek_head(journal) < 0) return 1;
  unsigned long entries = 0, bytes = 0;
  while (sd_journal_next(journal) > 0) {
    const void *data;
    size_t length;
    if (sd_journal_get_data(journal, "MESSAGE", &data, &length) >= 0) bytes += length;
    entries++;
  }
  sd_journal_close(journal);
  printf("%lu %lu\n", entries, bytes);
  return 0;
}
