"""Community step templates: a small library of its own to install from, for none on the network is asked (§A.0)."""

from typing import Any

import msgspec

from standin.documents import Document
from standin.errors import not_found
from standin.web.call import Call, Reply, created
from standin.web.identity import find_space
from standin.web.paging import envelope
from standin.web.portal import ActionTemplate
from standin.web.resources import ACTION_TEMPLATE, create

#: name, what it does, the text of its script, the parameter in it and its default
_SCRIPTS = (
    ("Print a message", "Writes a message into the log of its task.", 'echo "#{Message}"', "Message", "Hello"),
    ("Compute a while", "Makes a checksum of so many MiB of zeros.", "head -c #{MiB}M /dev/zero | cksum", "MiB", "64"),
)
#: id → a template of the library
TEMPLATES = {
    f"CommunityActionTemplates-{number}": ActionTemplate(
        name=name,
        description=description,
        action_type="Octopus.Script",
        community_action_template_id=f"CommunityActionTemplates-{number}",
        properties={
            "Octopus.Action.Script.ScriptSource": "Inline",
            "Octopus.Action.Script.Syntax": "Bash",
            "Octopus.Action.Script.ScriptBody": script,
        },
        parameters=[{"Id": f"parameter-{number}", "Name": parameter, "Label": parameter, "DefaultValue": default}],
    )
    for number, (name, description, script, parameter, default) in enumerate(_SCRIPTS, start=1)
}


async def list_templates(call: Call) -> Any:
    """Return one page of the library."""
    window, ids = call.query.window(), call.query.many("ids")
    found = [_show(one) for one in TEMPLATES if ids is None or one in ids]
    page = found[window.skip : window.skip + window.take]
    return envelope("CommunityActionTemplate", page, len(found), window, call.path, call.query.filters())


async def read_template(call: Call) -> Any:
    """Return one template of the library."""
    return _show(_found(call))


async def install_template(call: Call) -> Reply:
    """Make a step template of one of the library's, in the space that the path names or the default one."""
    template = TEMPLATES[_found(call)]
    space = await find_space(call.state, call.params.get("spaceId"))
    call.check({"SpaceId": space})
    async with call.begin() as work:
        made = await create(work, ACTION_TEMPLATE, template, space)
    return created(ACTION_TEMPLATE.show(made))


def _found(call: Call) -> str:
    found = next((one for one in TEMPLATES if one.lower() == call.id.lower()), None)
    if found is None:
        raise not_found(call.id)
    return found


def _show(identifier: str) -> Document:
    """Return a template as the library shows it."""
    template = TEMPLATES[identifier]
    base = f"/api/communityactiontemplates/{identifier}"
    return {
        "Id": identifier,
        "Type": template.action_type,
        "Name": template.name,
        "Description": template.description,
        "Website": "",
        "HistoryUrl": "",
        "Author": "",
        "Version": 1,
        "Properties": template.properties,
        "Parameters": msgspec.to_builtins(template.parameters),
        "Links": {"Self": base, "Installation": f"{base}/installation{{/spaceId}}"},
    }
