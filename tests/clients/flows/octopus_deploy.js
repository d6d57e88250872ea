// Drives the library of the npm package octopus-deploy: reads what a space holds, and deletes its target.
const { initializeApi, octopusApi: api } = require("octopus-deploy");

const { OCTOPUS_URL: host, OCTOPUS_API_KEY: apiKey, OCTOPUS_SPACE: space, OCTOPUS_PROJECT: slug } = process.env;
const names = (items) => items.map((item) => item.name);

async function main() {
    global.logToConsoleDisabled = true;
    initializeApi({ host, apiKey });
    const spaces = (await api.spaces.findAll()).value;
    const spaceId = spaces.find((one) => one.name === space).id;
    initializeApi({ host, apiKey, spaceId });

    const project = (await api.projects.find(slug)).value;
    const process = (await api.processes.find(project.deploymentProcessId)).value;
    const variables = (await api.variables.find(project.variableSetId)).value.variables;
    const channels = [(await api.channels.getAll(1)).value, (await api.channels.getAll(1, 1)).value];
    const unknown = (await api.projects.find("nowhere")).hasValue;
    const machines = await api.machines.findAll();
    for (const machine of machines) await api.machines.delete(machine.id);
    return {
        spaces: names(spaces),
        environments: names(await api.environments.findAll()),
        machines: names(machines),
        project: project.id,
        steps: names(process.steps),
        variables: Object.fromEntries(variables.map((one) => [one.name, one.value])),
        channels: channels.map((page) => page.items.length),
        unknown,
    };
}

main().then(
    (said) => console.log(JSON.stringify(said)),
    (error) => process.stderr.write(`${error.stack}\n`, () => process.exit(1)),
);
