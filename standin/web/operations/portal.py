"""What the portal configures beside, and what it asks for and finds nothing of (octopus-api §A.22)."""

from standin.web.endpoints import community, empty
from standin.web.endpoints.portal import ACCOUNTS, ACTION_TEMPLATES, CERTIFICATES, PROXIES, SUBSCRIPTIONS, TRIGGERS
from standin.web.routing import LIST, Scope, Table

space = Table(Scope.SPACE)
server = Table(Scope.SYSTEM)

ROUTES = (
    *ACCOUNTS.routes(space, "accounts", f"{LIST} accountType"),
    *CERTIFICATES.routes(space, "certificates"),
    *PROXIES.routes(space, "proxies"),
    *SUBSCRIPTIONS.routes(space, "subscriptions"),
    *ACTION_TEMPLATES.routes(space, "actiontemplates"),
    *TRIGGERS.routes(space, "projecttriggers"),
    space.get("projects/{id}/triggers", TRIGGERS.of_project, LIST),
    space.get("scheduledprojecttriggers", empty.empty_page, LIST),
    space.get("actiontemplates/categories", empty.empty_array),
    space.get("actiontemplates/search", empty.empty_array),
    space.get("environments/{id}/metadata", empty.empty_array),
    space.get("environments/{id}/singlyScopedVariableDetails", empty.empty_array),
    space.get("machines/{id}/metadata", empty.empty_array),
    space.get("projects/experimental/summaries", empty.empty_array),
    space.get("variables/nonPrintableChars", empty.empty_array),
    space.get("workerpools/dynamicworkertypes", empty.empty_array),
    space.get("workers/operatingsystem/names/all", empty.empty_array),
    space.get("workers/operatingsystem/shells/all", empty.empty_array),
    space.get("gitcredentials", empty.empty_page, LIST),
    space.get("deploymentfreezes", empty.empty_page, LIST),
    space.get("insights/reports", empty.empty_page, LIST),
    space.get("processtemplates", empty.empty_page, LIST),
    server.get("communityactiontemplates", community.list_templates, "skip take ids"),
    server.get("communityactiontemplates/{id}", community.read_template),
    server.create("communityactiontemplates/{id}/installation", community.install_template),
    server.create("communityactiontemplates/{id}/installation/{spaceId}", community.install_template),
    server.get("configuration/certificates", empty.empty_page, LIST),
    server.get("issuetrackers", empty.empty_page, LIST),
    server.get("users/external-search", empty.empty_array, "partialName"),
    server.get("users/identity-metadata", empty.empty_array),
    server.get("users/invitations", empty.empty_array),
    server.get("accounts/azureenvironments", empty.empty_array),
    server.get("dynamic-extensions/features/metadata", empty.empty_array),
    server.get("dynamic-extensions/features/values", empty.empty_array),
    server.get("dynamic-extensions/scripts", empty.empty_array),
    server.get("workertoolslatestimages", empty.empty_array),
)
