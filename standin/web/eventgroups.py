"""The groups of the audit trail's categories, and the types of documents that it tells about (octopus-api §A.20)."""

from standin import events

#: Categories that the stand-in never records, for no machine of it is ever ill; clients filter by them all the same.
UNSEEN = {
    "MachineAdded": "Deployment target added",
    "MachineDeleted": "Deployment target deleted",
    "MachineUnhealthy": "Machine found to be unhealthy",
    "MachineUnavailable": "Machine found to be unavailable",
    "MachineHasWarnings": "Machine found to have warnings",
    "MachineCleanupFailed": "Machine cleanup failed",
    "MachineDeploymentRelatedPropertyWasUpdated": "Machine deployment-related property was updated",
    "CertificateExpired": "Certificate expired",
}
#: category → its name
CATEGORIES = {**events.CATEGORIES, **UNSEEN}


def _starting(*words: str) -> list[str]:
    return [category for category in CATEGORIES if category.startswith(words)]


#: group → its name, and its categories
GROUPS = {
    "Document": ("Document", ["Created", "Modified", "Deleted"]),
    "Deployment": ("Deployment", _starting("Deployment")),
    "RunbookRun": ("Runbook run", _starting("RunbookRun")),
    "Interruption": ("Interruption", _starting("ManualIntervention", "GuidedFailure")),
    "Machine": ("Machine", _starting("Machine")),
    "MachineCritical": ("Machine critical", ["MachineCleanupFailed", "MachineUnavailable"]),
    "MachineAvailableForDeployment": (
        "Machine becomes available for deployment",
        ["MachineAdded", "MachineEnabled", "MachineHasWarnings", "MachineHealthy"],
    ),
    "MachineUnavailableForDeployment": (
        "Machine becomes unavailable for deployment",
        ["MachineDeleted", "MachineDisabled", "MachineUnavailable", "MachineUnhealthy"],
    ),
    "MachineHealthChanged": (
        "Machine health changed",
        ["MachineHasWarnings", "MachineHealthy", "MachineUnavailable", "MachineUnhealthy"],
    ),
    "User": ("User", _starting("Login")),
}
#: the word before the number of an id → what it stands for
DOCUMENT_TYPES = {
    "Accounts": "Account",
    "Artifacts": "Artifact",
    "BuildInformation": "Build Information",
    "Certificates": "Certificate",
    "Channels": "Channel",
    "Deployments": "Deployment",
    "Environments": "Environment",
    "Feeds": "Feed",
    "Interruptions": "Interruption",
    "LibraryVariableSets": "Library Variable Set",
    "Lifecycles": "Lifecycle",
    "MachinePolicies": "Machine Policy",
    "Machines": "Deployment Target",
    "OctopusServerNodes": "Octopus Server Node",
    "ProjectGroups": "Project Group",
    "ProjectTriggers": "Project Trigger",
    "Projects": "Project",
    "Proxies": "Proxy",
    "Releases": "Release",
    "RunbookRuns": "Runbook Run",
    "RunbookSnapshots": "Runbook Snapshot",
    "Runbooks": "Runbook",
    "ServerTasks": "Server Task",
    "Spaces": "Space",
    "Subscriptions": "Subscription",
    "TagSets": "Tag Set",
    "Teams": "Team",
    "Tenants": "Tenant",
    "Users": "User",
    "WorkerPools": "Worker Pool",
    "Workers": "Worker",
    "deploymentprocess": "Deployment Process",
    "packages": "Package",
    "variableset": "Variable Set",
}
