"""What the contract consists of: each operation of octopus-api §A under its section, and the rules of §B in words."""

#: section → operations, a line each; the names of what varies in a path are for the reader
OPERATIONS = {
    "B.1 Authentication": """
        POST users/login
        POST users/logout
        B.1 the API key in the header, in the query, as NuGet key or as bearer token
        B.1 an access token in place of a key
        B.1 requests with cookies need the CSRF token
        B.1 without valid credentials 401, without permission 403
    """,
    "B.2 Paging": """
        B.2 following Page.Next sees each item once
        B.2 lists are repeated or joined with commas
        B.2 dates with a T or a blank
    """,
    "B.3 Resources": """
        B.3 three forms of each route, in any case
        B.3 PUT and DELETE may come as POST
        B.3 a whole resource may be put back with its links
        B.3 each change leaves an event with its related documents
        B.3 each link of the root leads somewhere
    """,
    "B.4 Errors": """
        B.4 bad input is refused with the envelope, and the server goes on
        B.4 what is in use cannot be deleted
    """,
    "B.5 Rate limiting": """
        GET ratelimitingpolicies
        GET ratelimitingpolicies/{id}
        PUT ratelimitingpolicies/{id}
        B.5 a policy that is enabled limits, with 429 and Retry-After
    """,
    "A.0 Scopes, B.6 Root": """
        GET /
        GET {spaceId}
        GET featuresconfiguration
        PUT featuresconfiguration
        GET smtpconfiguration
        PUT smtpconfiguration
        GET smtpconfiguration/isconfigured
        GET letsencryptconfiguration
        PUT letsencryptconfiguration
        GET upgradeconfiguration
        PUT upgradeconfiguration
        GET serverconfiguration
        PUT serverconfiguration
        GET serverconfiguration/settings
        GET communityactiontemplates
        GET communityactiontemplates/{id}
        POST communityactiontemplates/{id}/installation
        POST communityactiontemplates/{id}/installation/{spaceId}
        GET externalsecuritygroupproviders
    """,
    "A.1 Users, teams and API keys": """
        GET users/me
        GET users
        GET users/all
        GET users/{id}
        POST users
        PUT users/{id}
        DELETE users/{id}
        GET users/{id}/spaces
        GET users/{id}/teams
        GET users/{id}/permissions
        GET users/{id}/apikeys
        POST users/{id}/apikeys
        GET users/{id}/apikeys/{keyId}
        DELETE users/{id}/apikeys/{keyId}
        GET users/authentication
        GET authentication
        GET teams
        GET teams/all
        GET teams/{id}
        POST teams
        PUT teams/{id}
        DELETE teams/{id}
        GET teams/{id}/scopeduserroles
        GET userroles
        GET userroles/all
        GET userroles/{id}
        POST userroles
        PUT userroles/{id}
        DELETE userroles/{id}
        GET scopeduserroles
        GET scopeduserroles/{id}
        POST scopeduserroles
        PUT scopeduserroles/{id}
        DELETE scopeduserroles/{id}
        GET permissions/all
        GET teammembership
    """,
    "A.2 Spaces": """
        GET spaces
        GET spaces/all
        GET spaces/{id}
        POST spaces
        POST spaces/v1
        PUT spaces/{id}
        DELETE spaces/{id}
        GET spaces/{id}/search
        GET spaces/{id}/logo
        PUT spaces/{id}/logo
    """,
    "A.3 Environments": """
        GET environments
        GET environments/all
        GET environments/all/v1
        GET environments/v2
        GET environments/{id}
        POST environments
        PUT environments/{id}
        DELETE environments/{id}
        PUT environments/sortorder
        GET environments/{id}/machines
        GET environments/summary
    """,
    "A.4 Lifecycles": """
        GET lifecycles
        GET lifecycles/all
        GET lifecycles/{id}
        POST lifecycles
        PUT lifecycles/{id}
        DELETE lifecycles/{id}
        GET lifecycles/{id}/projects
        GET lifecycles/{id}/preview
    """,
    "A.5 Retention and settings": """
        GET retentionpolicies
        PUT retentionpolicies/{id}
        GET configuration
        GET configuration/{id}
        GET configuration/{id}/metadata
        GET configuration/{id}/values
        PUT configuration/{id}/values
        GET configuration/retention-default
        PUT configuration/retention-default
    """,
    "A.6 Project groups": """
        GET projectgroups
        GET projectgroups/all
        GET projectgroups/{id}
        POST projectgroups
        PUT projectgroups/{id}
        DELETE projectgroups/{id}
        GET projectgroups/{id}/projects
    """,
    "A.7 Projects": """
        GET projects
        GET projects/all
        GET projects/{id}
        POST projects
        PUT projects/{id}
        DELETE projects/{id}
        GET projects/{id}/channels
        POST projects/{id}/channels
        GET projects/{id}/triggers
        GET projects/{id}/summary
        GET projects/{id}/logo
        PUT projects/{id}/logo
        GET projects/{id}/metadata
        GET projects/{id}/deploymentsettings
        PUT projects/{id}/deploymentsettings
        GET projects/pulse
    """,
    "A.8 Channels": """
        GET channels
        GET channels/all
        GET channels/{id}
        POST channels
        PUT channels/{id}
        DELETE channels/{id}
        GET channels/{id}/releases
        GET channels/rule-test
        POST channels/rule-test
    """,
    "A.9 Deployment processes": """
        GET deploymentprocesses
        GET deploymentprocesses/{id}
        PUT deploymentprocesses/{id}
        GET deploymentprocesses/{id}/template
        GET projects/{id}/deploymentprocesses
        PUT projects/{id}/deploymentprocesses
        GET projects/{id}/deploymentprocesses/template
    """,
    "A.10 Variables": """
        GET variables/{id}
        PUT variables/{id}
        GET projects/{id}/variables
        PUT projects/{id}/variables
        GET variables/all
        GET variables/names
        GET variables/preview
        GET libraryvariablesets
        GET libraryvariablesets/all
        GET libraryvariablesets/{id}
        POST libraryvariablesets
        PUT libraryvariablesets/{id}
        DELETE libraryvariablesets/{id}
    """,
    "A.11 Deployment targets and workers": """
        GET machines
        GET machines/all
        GET machines/{id}
        POST machines
        PUT machines/{id}
        DELETE machines/{id}
        GET machines/discover
        GET machines/{id}/connection
        GET machines/{id}/tasks
        GET machines/operatingsystem/names/all
        GET machines/operatingsystem/shells/all
        GET machineroles/all
        GET machinepolicies
        GET machinepolicies/all
        GET machinepolicies/{id}
        POST machinepolicies
        PUT machinepolicies/{id}
        DELETE machinepolicies/{id}
        GET machinepolicies/template
        GET machinepolicies/{id}/machines
        GET workerpools
        GET workerpools/all
        GET workerpools/{id}
        POST workerpools
        PUT workerpools/{id}
        DELETE workerpools/{id}
        PUT workerpools/sortorder
        GET workerpools/summary
        GET workerpools/{id}/workers
        GET workers
        GET workers/all
        GET workers/{id}
        POST workers
        PUT workers/{id}
        DELETE workers/{id}
        GET workers/{id}/connection
        GET workers/discover
    """,
    "A.12 Tenants and tag sets": """
        GET tenants
        GET tenants/all
        GET tenants/{id}
        POST tenants
        PUT tenants/{id}
        DELETE tenants/{id}
        GET tenants/{id}/variables
        PUT tenants/{id}/variables
        POST tenants/{id}/variables
        GET tenants/status
        GET tenants/tag-test
        GET tenants/variables-missing
        GET tenants/{id}/logo
        PUT tenants/{id}/logo
        GET tenantvariables/all
        GET tagsets
        GET tagsets/all
        GET tagsets/{id}
        POST tagsets
        PUT tagsets/{id}
        DELETE tagsets/{id}
        PUT tagsets/sortorder
    """,
    "A.13 Packages, feeds, build information": """
        POST packages/raw
        GET packages
        GET packages/{id}
        GET packages/{id}/raw
        DELETE packages/{id}
        DELETE packages/bulk
        GET packages/notes
        GET packages/{packageId}/{version}/delta-signature
        POST packages/{packageId}/{baseVersion}/delta
        GET feeds
        GET feeds/all
        GET feeds/{id}
        POST feeds
        PUT feeds/{id}
        DELETE feeds/{id}
        GET feeds/{id}/packages/versions
        GET feeds/{id}/packages/search
        GET feeds/stats
        GET build-information
        GET build-information/{id}
        POST build-information
        DELETE build-information/{id}
        DELETE build-information/bulk
    """,
    "A.14 Tasks": """
        GET tasks
        POST tasks
        GET tasks/{id}
        GET tasks/{id}/details
        GET tasks/{id}/raw
        POST tasks/{id}/cancel
        POST tasks/rerun/{id}
        POST tasks/{id}/state
        POST tasks/{id}/prioritize
        POST tasks/{id}/abandon
        GET tasks/{id}/queued-behind
        GET tasks/{id}/blockedby
        GET tasks/{id}/status/messages
        GET tasks/tasktypes
    """,
    "A.15 Releases": """
        GET releases
        GET releases/{id}
        POST releases
        PUT releases/{id}
        DELETE releases/{id}
        GET projects/{id}/releases
        GET projects/{id}/releases/{version}
        GET releases/{id}/deployments
        GET releases/{id}/deployments/template
        GET releases/{id}/deployments/preview/{environment}
        GET releases/{id}/deployments/preview/{environment}/{tenant}
        POST releases/{id}/deployments/previews
        GET releases/{id}/progression
        POST releases/{id}/snapshot-variables
        GET releases/{id}/defects
        POST releases/{id}/defects
        POST releases/{id}/defects/resolve
        GET releases/{id}/missingpackages
        POST releases/create/v1
    """,
    "A.16 Deployments": """
        GET deployments
        GET deployments/{id}
        POST deployments
        POST deployments/v1
        POST deployments/create/untenanted/v1
        POST deployments/create/tenanted/v1
        POST projects/{id}/deployments/{deploymentId}/retry/v1
    """,
    "A.17 Runbooks": """
        GET runbooks
        GET runbooks/all
        GET runbooks/{id}
        POST runbooks
        PUT runbooks/{id}
        DELETE runbooks/{id}
        GET projects/{id}/runbooks
        POST projects/{id}/runbooks
        GET runbookProcesses/{id}
        PUT runbookProcesses/{id}
        GET projects/{id}/runbookProcesses/{processId}
        PUT projects/{id}/runbookProcesses/{processId}
        GET runbookProcesses/{id}/runbookSnapshotTemplate
        GET runbookSnapshots
        GET runbookSnapshots/{id}
        POST runbookSnapshots
        GET projects/{id}/runbookSnapshots
        POST projects/{id}/runbookSnapshots
        GET projects/{id}/runbookSnapshots/{name}
        GET runbookSnapshots/{id}/runbookRuns/template
        GET runbooks/{id}/runbookRunTemplate
        POST runbookRuns
        POST runbooks/{id}/run
        POST runbook-runs/create/v1
        POST runbook-runs/git/create/v1
        GET runbookRuns
        GET runbookRuns/{id}
        GET projects/{id}/runbookRuns/{runId}/details/v1
    """,
    "A.18 Interruptions": """
        GET interruptions
        GET interruptions/{id}
        GET interruptions/{id}/responsible
        PUT interruptions/{id}/responsible
        POST interruptions/{id}/submit
    """,
    "A.19 Dashboard and progression": """
        GET dashboard
        GET dashboard/dynamic
        GET dashboardconfiguration
        PUT dashboardconfiguration
        GET progression/{id}
        GET projects/{id}/progression
        GET progression/runbooks/{id}
        GET progression/runbooks/{id}/v1
        GET progression/runbooks/taskRuns
        GET reporting/deployments-counted-by-week
        GET reporting/deployments/xml
    """,
    "A.20 Events": """
        GET events
        GET events/{id}
        GET events/agents
        GET events/categories
        GET events/groups
        GET events/documenttypes
        GET events/archives
        DELETE events/archives/{fileName}
    """,
    "A.21 Nodes": """
        GET octopusservernodes
        GET octopusservernodes/all
        GET octopusservernodes/{id}
        PUT octopusservernodes/{id}
        DELETE octopusservernodes/{id}
        GET octopusservernodes/{id}/details
        GET octopusservernodes/summary
        GET octopusservernodes/ping
    """,
    "A.22 Server status and configuration": """
        GET serverstatus
        GET serverstatus/health
        GET serverstatus/system-info
        GET serverstatus/counts
        GET serverstatus/logs
        POST serverstatus/gc-collect
        GET serverstatus/system-report
        GET serverstatus/timezones
        GET serverstatus/extensions
        GET maintenanceconfiguration
        PUT maintenanceconfiguration
        GET performanceconfiguration
        PUT performanceconfiguration
        GET licenses/licenses-current
        PUT licenses/licenses-current
        GET licenses/licenses-current-status
        GET scheduler
        GET scheduler/start
        GET scheduler/stop
        GET scheduler/trigger
        GET scheduler/{name}/logs
        GET scheduler/{name}/logs/raw
        GET configuration/feature-toggles
        GET capabilities
        GET subscriptions
        GET projecttriggers
        GET accounts
        GET certificates
        GET proxies
        GET artifacts
        GET actiontemplates
        GET useronboarding
    """,
}
