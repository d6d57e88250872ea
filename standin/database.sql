-- Whole databases and the instance in one.

-- name: lock
SELECT pg_advisory_xact_lock(20180);

-- name: create
SELECT format('CREATE DATABASE %I TEMPLATE template0', $1::text);

-- name: drop
SELECT format('DROP DATABASE IF EXISTS %I WITH (FORCE)', $1::text);

-- name: clone
SELECT format('CREATE DATABASE %I TEMPLATE %I STRATEGY FILE_COPY', $1::text, $2::text);

-- name: has_instance
SELECT to_regclass('keyallocation') IS NOT NULL;

-- name: tables
SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema');

-- name: put_configuration
INSERT INTO Configuration (Id, JSON) VALUES ($1, $2) ON CONFLICT (Id) DO UPDATE SET JSON = excluded.JSON;

-- name: configuration
SELECT JSON FROM Configuration WHERE Id = $1;

-- name: forget_key
DELETE FROM ApiKey WHERE Id = $1;
