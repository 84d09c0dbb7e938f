// A database in memory: insert, index, scan, join, look up. Prints what it found, not how long it took.
#include <stdio.h>
#include <stdlib.h>
#include "sqlite3.h"

static sqlite3 *db;

static void run(const char *sql) {
  char *message = 0;
  if (sqlite3_exec(db, sql, 0, 0, &message) != SQLITE_OK) {
    fprintf(stderr, "%s: %s\n", sql, message);
    exit(1);
  }
}

static long long ask(const char *sql) {
  sqlite3_stmt *statement;
  if (sqlite3_prepare_v2(db, sql, -1, &statement, 0) != SQLITE_OK || sqlite3_step(statement) != SQLITE_ROW) {
    fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
    exit(1);
  }
  long long value = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  return value;
}

int main(void) {
  sqlite3_stmt *statement;
  if (sqlite3_open(":memory:", &db) != SQLITE_OK) return 1;
  run("create table item(id integer primary key, kind integer, price integer, name text)");
  run("begin");
  sqlite3_prepare_v2(db, "insert into item values(?, ?, ?, ?)", -1, &statement, 0);
  for (int i = 0; i < 400000; i++) {
    char name[32];
    int length = snprintf(name, sizeof name, "item %d", (int)((i * 7919LL) % 400000));
    sqlite3_bind_int(statement, 1, i);
    sqlite3_bind_int(statement, 2, i % 97);
    sqlite3_bind_int64(statement, 3, (i * 2654435761LL) % 100000);
    sqlite3_bind_text(statement, 4, name, length, SQLITE_TRANSIENT);
    if (sqlite3_step(statement) != SQLITE_DONE) return 2;
    sqlite3_reset(statement);
  }
  sqlite3_finalize(statement);
  run("commit");
  run("create index by_name on item(name)");
  printf("%lld\n", ask("select sum(price) from item where kind < 50"));
  printf("%lld\n", ask("select count(*) from item where name like '%99%'"));
  printf("%lld\n", ask("select count(*) from item a join item b on b.id = a.price where a.kind = 3"));
  sqlite3_prepare_v2(db, "select price from item where name = ?", -1, &statement, 0);
  long long sum = 0;
  for (int i = 0; i < 200000; i++) {
    char name[32];
    sqlite3_bind_text(statement, 1, name, snprintf(name, sizeof name, "item %d", i * 2), SQLITE_TRANSIENT);
    if (sqlite3_step(statement) == SQLITE_ROW) sum += sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
  }
  sqlite3_finalize(statement);
  printf("%lld\n", sum);
  run("update item set price = price + 1 where kind % 2 = 0");
  run("delete from item where kind = 5");
  printf("%lld\n", ask("select sum(price) from item"));
  return 0;
}
