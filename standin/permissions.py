"""Permissions: their names, the roles that grant them, and which one an operation needs (octopus-api §A.1)."""

from dataclasses import dataclass
from functools import cache

_ALL = ("View", "Create", "Edit", "Delete")
_SPACE = {
    "Account": _ALL,
    "ActionTemplate": _ALL,
    "Artifact": _ALL,
    "BuildInformation": ("Administer", "Push"),
    "BuiltInFeed": ("Administer", "Download", "Push"),
    "Certificate": (*_ALL, "ExportPrivateKey"),
    "Defect": ("Report", "Resolve"),
    "Deployment": ("View", "Create", "Delete"),
    "Environment": _ALL,
    "Event": ("View",),
    "Feed": ("View", "Edit"),
    "Interruption": ("View", "Submit", "ViewSubmitResponsible"),
    "LibraryVariableSet": _ALL,
    "Lifecycle": _ALL,
    "Machine": _ALL,
    "MachinePolicy": _ALL,
    "Process": ("View", "Edit"),
    "Project": _ALL,
    "ProjectGroup": _ALL,
    "Proxy": _ALL,
    "Release": _ALL,
    "Runbook": ("View", "Edit"),
    "RunbookRun": ("View", "Create", "Delete"),
    "Subscription": _ALL,
    "TagSet": ("Create", "Edit", "Delete"),
    "Task": ("View", "Create", "Edit", "Cancel"),
    "Team": _ALL,
    "Tenant": _ALL,
    "Trigger": _ALL,
    "Variable": ("View", "Edit", "ViewUnscoped", "EditUnscoped"),
    "Worker": ("View", "Edit"),
}
_SYSTEM = {
    "AdministerSystem": ("",),
    "ConfigureServer": ("",),
    "Event": ("View",),
    "Space": _ALL,
    "Task": ("View", "Create", "Edit", "Cancel"),
    "Team": _ALL,
    "User": ("View", "Edit", "Invite"),
    "UserRole": ("View", "Edit"),
}

#: permissions that hold in a space
IN_SPACE = frozenset(noun + verb for noun, verbs in _SPACE.items() for verb in verbs)
#: permissions that hold for the whole server
IN_SYSTEM = frozenset(noun + verb for noun, verbs in _SYSTEM.items() for verb in verbs)


@dataclass(frozen=True, slots=True)
class Role:
    """A role that each instance is born with."""

    #: its id
    id: str
    #: its name
    name: str
    #: what its holders can do
    description: str
    #: permissions in spaces
    space: frozenset[str]
    #: permissions for the whole server
    system: frozenset[str] = frozenset()


_VIEW = frozenset(name for name in IN_SPACE if name.endswith("View"))
_DEPLOY = frozenset({"DeploymentCreate", "RunbookRunCreate", "TaskCancel", "TaskCreate", "InterruptionSubmit"})
_RELEASE = frozenset({"ReleaseCreate", "ReleaseEdit", "BuiltInFeedPush", "BuildInformationPush"})
_LEAD = frozenset(
    noun + verb
    for noun in ("Project", "Process", "Variable", "Runbook", "Trigger", "Release", "Lifecycle", "ProjectGroup")
    for verb in ("Create", "Edit", "Delete")
    if noun + verb in IN_SPACE
)
_MANAGE = frozenset(
    noun + verb
    for noun in ("Environment", "Machine", "Worker")
    for verb in ("Create", "Edit", "Delete")
    if noun + verb in IN_SPACE
)

#: the built-in roles that the stand-in knows
ROLES = (
    Role("userroles-systemadministrator", "System Administrator", "Can do everything.", IN_SPACE, IN_SYSTEM),
    Role("userroles-spacemanager", "Space Manager", "Can do everything in a space.", IN_SPACE),
    Role(
        "userroles-projectlead",
        "Project Lead",
        "Can change projects, and deploy them.",
        IN_SPACE & (_VIEW | _LEAD | _DEPLOY),
    ),
    Role("userroles-projectdeployer", "Project Deployer", "Can deploy releases and run runbooks.", _VIEW | _DEPLOY),
    Role("userroles-releasecreator", "Release Creator", "Can create releases and push packages.", _VIEW | _RELEASE),
    Role(
        "userroles-environmentmanager",
        "Environment Manager",
        "Can change environments and targets.",
        IN_SPACE & (_VIEW | _MANAGE),
    ),
    Role("userroles-projectviewer", "Project Viewer", "Can look at everything in a space.", _VIEW),
)

#: first segments of paths → what the permission is called after
_NOUNS = {
    "accounts": "Account",
    "actiontemplates": "ActionTemplate",
    "artifacts": "Artifact",
    "certificates": "Certificate",
    "channels": "Process",
    "communityactiontemplates": "ActionTemplate",
    "dashboard": "Deployment",
    "dashboardconfiguration": "Project",
    "deploymentprocesses": "Process",
    "deployments": "Deployment",
    "environments": "Environment",
    "events": "Event",
    "feeds": "Feed",
    "interruptions": "Interruption",
    "libraryvariablesets": "LibraryVariableSet",
    "lifecycles": "Lifecycle",
    "machinepolicies": "MachinePolicy",
    "machineroles": "Machine",
    "machines": "Machine",
    "progression": "Deployment",
    "projectgroups": "ProjectGroup",
    "projects": "Project",
    "projecttriggers": "Trigger",
    "proxies": "Proxy",
    "releases": "Release",
    "reporting": "Deployment",
    "retentionpolicies": "Lifecycle",
    "runbookprocesses": "Runbook",
    "runbookruns": "RunbookRun",
    "runbook-runs": "RunbookRun",
    "runbooks": "Runbook",
    "runbooksnapshots": "Runbook",
    "scopeduserroles": "Team",
    "subscriptions": "Subscription",
    "tagsets": "TagSet",
    "tasks": "Task",
    "teams": "Team",
    "triggers": "Trigger",
    "tenants": "Tenant",
    "tenantvariables": "Variable",
    "userroles": "UserRole",
    "users": "User",
    "variables": "Variable",
    "workerpools": "Worker",
    "workers": "Worker",
}
#: operations whose permission does not follow from noun and verb, by method and the words of the path
_EXCEPTIONS = {
    ("POST", "packages"): "BuiltInFeedPush",
    ("DELETE", "packages"): "BuiltInFeedAdminister",
    ("GET", "packages"): "FeedView",
    ("POST", "build-information"): "BuildInformationPush",
    ("DELETE", "build-information"): "BuildInformationAdminister",
    ("POST", "cancel"): "TaskCancel",
    ("POST", "abandon"): "TaskCancel",
    ("POST", "state"): "TaskEdit",
    ("POST", "prioritize"): "TaskEdit",
    ("POST", "defects"): "DefectReport",
    ("POST", "resolve"): "DefectResolve",
    ("POST", "snapshot-variables"): "ReleaseEdit",
    ("POST", "run"): "RunbookRunCreate",
    ("POST", "rule-test"): "ProcessView",
    ("POST", "submit"): "InterruptionSubmit",
    ("PUT", "responsible"): "InterruptionSubmit",
    ("DELETE", "archives"): "AdministerSystem",
    ("GET", "start"): "AdministerSystem",
    ("GET", "stop"): "AdministerSystem",
    ("GET", "trigger"): "AdministerSystem",
    ("GET", "logs"): "AdministerSystem",
    ("GET", "system-report"): "AdministerSystem",
}
_VERBS = {"GET": "View", "POST": "Create", "PUT": "Edit", "PATCH": "Edit", "DELETE": "Delete"}


@cache
def needed(method: str, path: str) -> str | None:
    """Return the permission that an operation needs; None: to be logged in is enough.

    It is called after the last resource in the path and what is done to it; where there is no such permission, it is
    that to edit the resource. Whatever changes the server itself needs AdministerSystem.
    """
    words = [segment for segment in path.lower().split("/") if segment and not segment.startswith("{")]
    for word in reversed(words):
        if (method, word) in _EXCEPTIONS:
            return _EXCEPTIONS[method, word]
        if word in _NOUNS:
            return _permission(_NOUNS[word], _VERBS[method])
    if method == "GET":
        return None
    return "Space" + _VERBS[method] if words[:1] == ["spaces"] else "AdministerSystem"


def _permission(noun: str, verb: str) -> str | None:
    if noun + verb in IN_SPACE | IN_SYSTEM:
        return noun + verb
    return None if verb == "View" else f"{noun}Edit"
