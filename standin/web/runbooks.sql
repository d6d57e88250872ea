-- What clients ask about runbooks.

-- name: last_snapshot
SELECT Name FROM RunbookSnapshot WHERE RunbookId = $1 ORDER BY Assembled DESC, length(Id) DESC, Id DESC LIMIT 1;

-- name: runs_of_snapshot
SELECT 1 FROM RunbookRun WHERE RunbookSnapshotId = $1 LIMIT 1;
