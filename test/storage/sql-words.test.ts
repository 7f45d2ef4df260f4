/** What a SQL text does beside its rows, read from its words: transactions begun and ended, settings that outlive one. */
import { describe, expect, it } from 'vitest'
import { readSql } from '../../src/storage/sql-words.ts'

describe('a text that controls a transaction', () => {
  it.each([
    ['COMMIT', 'COMMIT'],
    ['  \n\t commit;', 'COMMIT'],
    ['/* a /* nested */ one */ CoMmIt', 'COMMIT'],
    ['-- a line\nROLLBACK', 'ROLLBACK'],
    ['--\rEND', 'END'],
    [';;ABORT', 'ABORT'],
    ['SELECT 1; COMMIT', 'COMMIT'],
    ["SELECT ';'; COMMIT AND CHAIN", 'COMMIT'],
    ["SELECT 'it''s'; COMMIT", 'COMMIT'],
    ["SELECT E'\\''; COMMIT", 'COMMIT'],
    ["SELECT '\\'; COMMIT; --'", 'COMMIT'],
    ["SELECT '\\''; COMMIT; --'", 'COMMIT'],
    ['SELECT $$;$$; COMMIT', 'COMMIT'],
    ['SELECT $a$ $$ $a$; COMMIT', 'COMMIT'],
    ['SELECT $1; COMMIT', 'COMMIT'],
    ['SELECT a$b$; COMMIT; SELECT c$b$', 'COMMIT'],
    ['SELECT "a;""b"; COMMIT', 'COMMIT'],
    ['SELECT 1 AS "x" ;BEGIN', 'BEGIN'],
    ['START TRANSACTION', 'START'],
    ['begin isolation level serializable', 'BEGIN'],
    ["PREPARE /* x */ TRANSACTION 'a'", 'PREPARE'],
    ['SAVEPOINT a', 'SAVEPOINT'],
    ['ROLLBACK TO SAVEPOINT a', 'ROLLBACK'],
    ['RELEASE a', 'RELEASE'],
    ['CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END; COMMIT', 'COMMIT'],
  ])('%s', (text, control) => {
    expect(readSql(text).control).toBe(control)
  })

  it.each([
    'SELECT 1',
    'SELECT CASE WHEN true THEN 1 END',
    "INSERT INTO a VALUES ('COMMIT; ROLLBACK')",
    'SELECT $$;COMMIT;$$',
    'SELECT $a$; COMMIT; $$ $a$',
    'SELECT 1 /* ; COMMIT */',
    'SELECT 1 -- ; COMMIT',
    'PREPARE a AS SELECT 1',
    'SELECT "commit" FROM "begin"',
    "SELECT E'\\'; COMMIT'",
    'CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END',
    'UPDATE a SET "end" = 1',
  ])('is not: %s', (text) => {
    expect(readSql(text).control).toBeUndefined()
  })

  it('is read in time that grows with its length', () => {
    const text = `SELECT '${"''".repeat(500_000)}' /* ${'/* '.repeat(10)} ${' */'.repeat(11)}; COMMIT`
    expect(readSql(text).control).toBe('COMMIT')
  })
})

describe('a text that changes settings beyond its transaction', () => {
  it.each([
    ['SET search_path = a', ['search_path']],
    ['set session "search_path" to a', ['search_path']],
    ['SET app.org_id = 1', ['app.org_id']],
    ['SET ROLE x', ['role']],
    ['SET SESSION ROLE x', ['role']],
    ['SET SESSION AUTHORIZATION x', ['session_authorization']],
    ['RESET SESSION AUTHORIZATION', ['session_authorization']],
    ['SET TIME ZONE 1', ['timezone']],
    ['SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY', ['*']],
    ['RESET ROLE', ['role']],
    ['RESET ALL', ['all']],
    ['DISCARD ALL', ['all']],
    ['DISCARD TEMP', ['*']],
    ['SELECT 1; /* x */ SET a.b = 1', ['a.b']],
    ["SELECT set_config('app.org_id', 'x', false)", ['app.org_id']],
    ["SELECT pg_catalog.set_config('app.org_id', $1, $2)", ['app.org_id']],
    ['SELECT set_config($1, $2, false)', ['$1']],
    ["SELECT set_config('a' || 'b', $2, false)", ['*']],
    ["DO $$ BEGIN SET a.b = 'x'; END $$", ['*']],
    ["DO $$ BEGIN PERFORM set_config('a.b', 'x', false); END $$", ['*']],
    ['CREATE TEMP TABLE a (b int)', ['*']],
    ['create local /* x */ temporary table if not exists a as select 1', ['*']],
    ['CREATE OR REPLACE TEMP VIEW a AS SELECT 1', ['*']],
    ['CREATE TEMPORARY SEQUENCE a', ['*']],
    ['CREATE TEMP TABLE a (b int) ON COMMIT DELETE ROWS', ['*']],
    ['EXPLAIN ANALYZE CREATE TEMP TABLE a AS SELECT 1', ['*']],
    ['CREATE TABLE IF NOT EXISTS pg_temp.a (b int)', ['*']],
    ['CREATE TABLE "pg_temp".a (b int)', ['*']],
    ['SELECT 1; SELECT b INTO TEMP a FROM c', ['*']],
    ['WITH c AS (SELECT 1) SELECT * INTO LOCAL TEMPORARY TABLE a FROM c', ['*']],
    ['SELECT 1 INTO pg_temp.a', ['*']],
    ["DECLARE a CURSOR WITH HOLD FOR SELECT 'x'", ['*']],
    ['DECLARE a NO SCROLL CURSOR WITH /* x */ HOLD FOR SELECT 1', ['*']],
    ['DO $$ BEGIN CREATE TEMP TABLE a (b int); END $$', ['*']],
  ])('%s', (text, settings) => {
    expect(readSql(text).settings).toEqual(settings.map((name) => ({ name, lasts: true })))
  })

  it.each([
    'SET LOCAL search_path = a',
    'SET LOCAL ROLE x',
    'SET TRANSACTION READ ONLY',
    'SET CONSTRAINTS ALL IMMEDIATE',
    'UPDATE a SET b = 1',
    'CREATE TEMP TABLE a (b int) ON COMMIT DROP',
    'CREATE TEMP TABLE a ON COMMIT /* x */ DROP AS SELECT 1',
    'DO $$ BEGIN CREATE TEMP TABLE a (b int) ON COMMIT DROP; END $$',
    'DECLARE a CURSOR FOR SELECT 1',
    'DECLARE a CURSOR WITHOUT HOLD FOR SELECT 1',
    'DECLARE a CURSOR FOR WITH hold AS (SELECT 1) SELECT * FROM hold',
    'CREATE INDEX ON pg_temp.a (b)',
    'CREATE UNIQUE INDEX c ON pg_temp.a (b)',
    'CREATE TABLE "temp" (temp int)',
    'INSERT INTO temp VALUES (1)',
    "INSERT INTO a VALUES ('CREATE TEMP TABLE a')",
    'SELECT \'into temp a\', "into temp a" FROM a',
    'DROP TABLE pg_temp.a',
    'SELECT hold, temp FROM pg_temp.a',
    "SELECT set_config('a.b', coalesce($1, 'x,)'), true)",
    'SELECT set_config($1, $2, TRUE), set_config($3, $4, true)',
    'DO $$ BEGIN UPDATE a SET b = 1; SET LOCAL a.b = 1; END $$',
  ])('is not: %s', (text) => {
    expect(readSql(text).settings.filter(({ lasts }) => lasts)).toEqual([])
  })

  it('names the settings that it changes for its transaction', () => {
    const names = (text: string): string[] => readSql(text).settings.map(({ name }) => name)
    expect(names('SET LOCAL app.org_id TO 1; SET LOCAL ROLE x')).toEqual(['app.org_id', 'role'])
    expect(names("SELECT set_config('App.Org_id', $1, true), set_config($2::text, $3, true)")).toEqual([
      'app.org_id',
      '$2',
    ])
  })
})
