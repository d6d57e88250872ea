"""Names of people, projects and machines that look like life, each given once."""

from collections.abc import Callable, Sequence

from faker import Faker

#: The longest name that Octopus takes for an environment or a space; other names may be longer (octopus-api §A.2).
LONGEST = 50

ENVIRONMENTS = ("Development", "Test", "Staging", "Production")

_GROUPS = (
    "Payments", "Ordering", "Warehouse", "Customers", "Reporting", "Identity", "Marketing", "Search", "Platform",
    "Mobile", "Pricing", "Logistics", "Support", "Finance", "Partners", "Data",
)  # fmt: skip
_PARTS = ("API", "Web", "Worker", "Gateway", "Database", "Jobs", "Portal", "Service", "Functions", "Website")
_CHANNELS = ("Hotfix", "Preview", "Long-term")
_RUNBOOKS = ("Restart", "Back up the database", "Rotate certificates", "Clear the cache", "Scale out")
_TAG_SETS = {
    "Region": ("Europe", "America", "Asia", "Africa", "Australia"),
    "Tier": ("Gold", "Silver", "Bronze", "Trial", "Internal"),
    "Ring": ("Canary", "Early", "Broad", "Late", "Frozen"),
}
_ROLES = ("web", "api", "db", "worker")
_VARIABLES = (
    "ConnectionString", "BaseUrl", "Timeout", "LogLevel", "Queue", "Bucket", "Retries", "CacheSize", "Owner", "Feature",
)  # fmt: skip


class Names:
    """Names for one space; the same seed gives the same names with the same version of Faker."""

    def __init__(self, seed: str) -> None:
        self._faker = Faker("en_US")
        self._faker.seed_instance(seed)
        self._given: set[str] = set()

    def environment(self, index: int, of: int) -> str:
        """Return the name of the environment at this place in the order of promotion, the last one Production."""
        if of <= len(ENVIRONMENTS):
            return (*ENVIRONMENTS[: of - 1], ENVIRONMENTS[-1])[index]
        return (
            ENVIRONMENTS[-1] if index == of - 1 else self._once(lambda: f"{ENVIRONMENTS[index % 3]} {index // 3 + 1}")
        )

    def group(self, index: int) -> str:
        """Return the name of a project group."""
        return self._once(lambda: _GROUPS[index % len(_GROUPS)])

    def project(self) -> str:
        """Return the name of a project."""
        part = self._faker.random_element(_PARTS)
        return self._once(lambda: f"{self._faker.last_name()} {part}")

    def machine(self, role: str) -> str:
        """Return the name of a machine."""
        return self._once(lambda: f"{role}-{self._faker.city().lower().replace(' ', '-').replace('.', '')}")

    def any_role(self, index: int) -> str:
        """Return one target role after another."""
        return _ROLES[index % len(_ROLES)]

    def role(self) -> str:
        """Return a target role."""
        return str(self._faker.random_element(_ROLES))

    def channel(self, index: int) -> str:
        """Return the name of a project's channel; those of a project differ."""
        return _numbered(_CHANNELS, index)

    def runbook(self, index: int) -> str:
        """Return the name of a project's runbook; those of a project differ."""
        return _numbered(_RUNBOOKS, index)

    def tag_set(self, index: int) -> tuple[str, list[str]]:
        """Return the name of a tag set and its tags."""
        return _numbered(tuple(_TAG_SETS), index), list(tuple(_TAG_SETS.values())[index % len(_TAG_SETS)])

    def package(self) -> str:
        """Return the name of a package: letters and a dot."""
        return self._once(lambda: f"{self._faker.last_name()}.{self._faker.random_element(_PARTS)}")

    def tenant(self) -> str:
        """Return the name of a customer."""
        return self._once(self._faker.company)

    def person(self) -> str:
        """Return the name of a person; people may share one."""
        return str(self._faker.name())

    def variable(self, index: int) -> str:
        """Return the name of a project's variable."""
        return _numbered(_VARIABLES, index, "")

    def word(self) -> str:
        """Return a word for a value."""
        return str(self._faker.word())

    def _once(self, draw: Callable[[], str]) -> str:
        """Return a name that was not given before, whatever its case, with a number when chance repeats itself."""
        name = first = draw()
        number = 1
        while name.lower() in self._given:
            number += 1
            name = f"{first} {number}" if number < 10 else f"{draw()} {number}"
        self._given.add(name.lower())
        return name


def _numbered(names: Sequence[str], index: int, between: str = " ") -> str:
    """Return one name after another, with numbers from the second round on."""
    round_, which = divmod(index, len(names))
    return f"{names[which]}{between}{round_ + 1}" if round_ else names[which]
