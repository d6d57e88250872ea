// Drives the official TypeScript client: a tag set, and a tenant with a tag, connected to a project.
const octopus = require("@octopusdeploy/api-client");

const { OCTOPUS_URL: instanceURL, OCTOPUS_API_KEY: apiKey, OCTOPUS_SPACE: spaceName } = process.env;

async function main() {
    const client = await octopus.Client.create({ userAgentApp: "octoload", instanceURL, apiKey });
    const group = (await new octopus.ProjectGroupRepository(client, spaceName).list({ take: 1 })).Items[0];
    const lifecycle = (await new octopus.LifecycleRepository(client, spaceName).list({ take: 1 })).Items[0];
    const wanted = octopus.NewProject("Corner Shop", group, lifecycle);
    const project = await new octopus.ProjectRepository(client, spaceName).create(wanted);
    const street = await new octopus.EnvironmentRepository(client, spaceName).create({ Name: "Street" });
    const sets = new octopus.TagSetRepository(client, spaceName);
    const set = await sets.create({ Name: "Size", Tags: [{ Name: "Small", Color: "#333333", Description: "" }] });
    const tenants = new octopus.TenantRepository(client, spaceName);
    const connections = { [project.Id]: [street.Id] };
    const tags = [set.Tags[0].CanonicalTagName];
    const tenant = await tenants.create({ Name: "Corner", TenantTags: tags, ProjectEnvironments: connections });
    const variables = await tenants.getVariables(tenant);
    await tenants.modify({ ...tenant, Description: "On the corner" });
    return { project, tenant: await tenants.get(tenant.Id), variables };
}

main().then(
    (said) => process.stdout.write(`${JSON.stringify(said)}\n`, () => process.exit(0)),
    (error) => process.stderr.write(`${error.stack}\n`, () => process.exit(1)),
);
