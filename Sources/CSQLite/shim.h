#ifndef BAILIFF_CSQLITE_H
#define BAILIFF_CSQLITE_H
#include <sqlite3.h>

// A macro with a cast, which Swift does not import: the bytes are copied.
static inline sqlite3_destructor_type bailiff_sqlite_transient(void) { return SQLITE_TRANSIENT; }

// Variadic, which cannot be called from Swift. https://www.sqlite.org/c3ref/db_config.html
static inline int bailiff_sqlite_config(sqlite3 *db, int option, int value) {
  return sqlite3_db_config(db, option, value, (int *)0);
}
#endif
