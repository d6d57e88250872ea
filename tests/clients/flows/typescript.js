// Drives the official TypeScript client: packages, a project, a release, its deployment, its log, refusals.
const octopus = require("@octopusdeploy/api-client");
const { FeedRepository } = require("@octopusdeploy/api-client/dist/features/feeds/feedRepository");
const { writeFileSync } = require("fs");

const { OCTOPUS_URL: instanceURL, OCTOPUS_API_KEY: apiKey, OCTOPUS_SPACE: spaceName } = process.env;

function step(name, body, packages = []) {
    const properties = {
        "Octopus.Action.RunOnServer": "true",
        "Octopus.Action.Script.ScriptSource": "Inline",
        "Octopus.Action.Script.Syntax": "Bash",
        "Octopus.Action.Script.ScriptBody": body,
    };
    const action = { Id: "", Name: name, ActionType: "Octopus.Script", Packages: packages, Properties: properties };
    const when = { Condition: "Success", StartTrigger: "StartAfterPrevious", PackageRequirement: "LetOctopusDecide" };
    return { Id: "", Name: name, ...when, Properties: {}, Actions: [action] };
}

async function push(client) {
    writeFileSync("Acme.Web.1.2.0.zip", "not really a zip");
    const packages = new octopus.PackageRepository(client, spaceName);
    await packages.push(["Acme.Web.1.2.0.zip"], octopus.OverwriteMode.FailIfExists);
    await new octopus.BuildInformationRepository(client, spaceName).push({
        spaceName,
        BuildEnvironment: "Forge",
        BuildNumber: "288",
        BuildUrl: "http://forge/288",
        Branch: "main",
        VcsType: "Git",
        VcsRoot: "http://forge/acme.git",
        VcsCommitNumber: "314cf2c",
        Commits: [{ Id: "314cf2c", Comment: "Mend the wheel" }],
        Packages: [{ Id: "Acme.Web", Version: "1.2.0" }],
    });
    return packages.get((await packages.list({ filter: "Acme" })).Items[0].Id);
}

async function configure(client) {
    const staging = await new octopus.EnvironmentRepository(client, spaceName).create({ Name: "Staging" });
    const group = await new octopus.ProjectGroupRepository(client, spaceName).create({ Name: "Shops" });
    const targets = { AutomaticDeploymentTargets: [], OptionalDeploymentTargets: [staging.Id] };
    const phase = { Name: "First", ...targets, MinimumEnvironmentsBeforePromotion: 0, IsOptionalPhase: false };
    const lifecycles = new octopus.LifecycleRepository(client, spaceName);
    const lifecycle = await lifecycles.create({ Name: "Straight", Phases: [phase] });
    const projects = new octopus.ProjectRepository(client, spaceName);
    const project = await projects.create(octopus.NewProject("Web Shop", group, lifecycle));
    for (const name of ["Web Till", "Web Cellar"]) await projects.create(octopus.NewProject(name, group, lifecycle));
    const page = async (skip) => (await projects.list({ partialName: "web", skip, take: 2 })).Items;
    const pages = [await page(0), await page(2)].map((items) => items.map((item) => item.Name));
    return { project, pages };
}

async function fill(client, project) {
    const feed = (await new FeedRepository(client, spaceName).list({ take: 1 })).Items[0];
    const reference = { Id: "", Name: "", PackageId: "Acme.Web", FeedId: feed.Id, AcquisitionLocation: "Server" };
    const processes = new octopus.DeploymentProcessRepository(client, spaceName);
    const process = await processes.get(project);
    process.Steps = [
        step("Greet", "echo hello from the shop"),
        step("Unpack", "echo unpacked", [{ ...reference, Properties: {} }]),
    ];
    return processes.update(project, process);
}

async function deploy(client) {
    const named = { spaceName, ProjectName: "Web Shop", ReleaseVersion: "1.0.0" };
    const wanted = { ...named, Packages: ["Unpack:1.2.0"], ReleaseNotes: "First" };
    const release = await new octopus.ReleaseRepository(client, spaceName).create(wanted);
    const deployments = new octopus.DeploymentRepository(client, spaceName);
    const { DeploymentServerTasks } = await deployments.create({ ...named, EnvironmentNames: ["Staging"] });
    const [{ ServerTaskId: id, DeploymentId }] = DeploymentServerTasks;
    const states = [];
    const waiter = new octopus.ServerTaskWaiter(client, spaceName);
    const task = await waiter.waitForServerTaskToComplete(id, 200, 60000, (one) => states.push(one.State));
    const tasks = new octopus.SpaceServerTaskRepository(client, spaceName);
    const details = await tasks.getDetails(id);
    const raw = await tasks.getRaw(id);
    const deployment = (await deployments.list({ ids: [DeploymentId], take: 1 })).Items[0];
    return { release, task, states, details, raw, deployment };
}

async function runbook(client, project) {
    const runbooks = new octopus.RunbookRepository(client, spaceName, project);
    const made = await runbooks.create({ Name: "Sweep", ProjectId: project.Id, EnvironmentScope: "All" });
    const processes = new octopus.RunbookProcessRepository(client, spaceName, project);
    const process = await processes.get(made);
    process.Steps = [step("Sweep", "echo the shop is swept by '#{Octopus.Runbook.Name}'")];
    await processes.update(process);
    const snapshots = new octopus.RunbookSnapshotRepository(client, spaceName, project);
    const snapshot = await snapshots.create(made, "Snapshot One", true, "by others");
    const runs = new octopus.RunbookRunRepository(client, spaceName);
    const wanted = { spaceName, ProjectName: "Web Shop", RunbookName: "Sweep", EnvironmentNames: ["Staging"] };
    const [{ ServerTaskId: id, RunbookRunId }] = (await runs.create(wanted)).RunbookRunServerTasks;
    const waiter = new octopus.ServerTaskWaiter(client, spaceName);
    const [swept] = await waiter.waitForServerTasksToComplete([id], 200, 60000);
    const sweeping = await new octopus.SpaceServerTaskRepository(client, spaceName).getRaw(id);
    const run = (await runs.list({ ids: [RunbookRunId], take: 1 })).Items[0];
    return { runbook: await runbooks.get(made.Id), snapshot, run, swept, sweeping };
}

async function refusals(client) {
    const attempts = [
        () => new octopus.EnvironmentRepository(client, spaceName).create({ Name: "staging" }),
        () => new octopus.PackageRepository(client, spaceName).push(["Acme.Web.1.2.0.zip"]),
        () => new octopus.ProjectRepository(client, spaceName).get("Projects-99999"),
    ];
    const said = [];
    for (const attempt of attempts) {
        await attempt().then(
            () => said.push("accepted"),
            (error) => said.push([error.StatusCode ?? null, error.message]),
        );
    }
    return said;
}

async function main() {
    const client = await octopus.Client.create({ userAgentApp: "octoload", instanceURL, apiKey });
    const user = await octopus.userGetCurrent(client);
    const spaces = await new octopus.SpaceRepository(client).list({ partialName: spaceName });
    const space = spaces.Items.find((one) => one.Name === spaceName);
    const pushed = await push(client);
    const { project, pages } = await configure(client);
    const filled = await fill(client, project);
    const deployed = await deploy(client);
    const ran = await runbook(client, project);
    const refused = await refusals(client);
    return { user, space, pushed, project, pages, process: filled, ...deployed, ...ran, refused };
}

// The client's waiter leaves a timer behind, so the program ends itself.
main().then(
    (said) => process.stdout.write(`${JSON.stringify(said)}\n`, () => process.exit(0)),
    (error) => process.stderr.write(`${error.stack}\n`, () => process.exit(1)),
);
