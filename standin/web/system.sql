-- What the instance holds.

-- name: counts
SELECT (SELECT count(*) FROM Space) AS spaces, (SELECT count(*) FROM UserAccount) AS users,
    (SELECT count(*) FROM Team) AS teams, (SELECT count(*) FROM WorkerPool) AS pools, (SELECT count(*) FROM Worker) AS workers,
    (SELECT count(*) FROM LibraryVariableSet) AS library_sets,
    (SELECT count(*) FROM Machine) AS machines, (SELECT count(*) FROM DeploymentEnvironment) AS environments,
    (SELECT count(*) FROM Tenant) AS tenants, (SELECT count(*) FROM Project) AS projects,
    (SELECT count(*) FROM Release) AS releases, (SELECT count(*) FROM Deployment) AS deployments,
    (SELECT count(*) FROM NuGetPackage) AS packages, (SELECT count(*) FROM Runbook) AS runbooks,
    (SELECT count(*) FROM RunbookRun) AS runs;

-- name: configurations
SELECT Id, JSON FROM Configuration WHERE Id = ANY($1::text[]);

-- name: onboarding
SELECT EXISTS (SELECT 1 FROM DeploymentEnvironment WHERE SpaceId = $1) AS environments,
    EXISTS (SELECT 1 FROM Machine WHERE SpaceId = $1) AS machines,
    EXISTS (SELECT 1 FROM Project WHERE SpaceId = $1) AS projects,
    EXISTS (SELECT 1 FROM NuGetPackage WHERE SpaceId = $1) AS packages,
    EXISTS (SELECT 1 FROM Release WHERE SpaceId = $1) AS releases,
    EXISTS (SELECT 1 FROM Deployment WHERE SpaceId = $1) AS deployments;
