"""Names of people, projects and machines that look like life, each given once."""

from collections.abc import Callable

from faker import Faker

#: The longest name that Octopus takes for an environment or a space; other names may be longer (octopus-api §A.2).
LONGEST = 50

ENVIRONMENTS = ("Development", "Test", "Staging", "Production")

_GROUPS = (
    "Payments", "Ordering", "Warehouse", "Customers", "Reporting", "Identity", "Marketing", "Search", "Platform",
    "Mobile", "Pricing", "Logistics", "Support", "Finance", "Partners", "Data",
)  # fmt: skip
_PARTS = ("API", "Web", "Worker", "Gateway", "Database", "Jobs", "Portal", "Service", "Functions", "Website")
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

    def role(self) -> str:
        """Return a target role."""
        return str(self._faker.random_element(_ROLES))

    def tenant(self) -> str:
        """Return the name of a customer."""
        return self._once(self._faker.company)

    def person(self) -> str:
        """Return the name of a person; people may share one."""
        return str(self._faker.name())

    def variable(self, index: int) -> str:
        """Return the name of a project's variable."""
        round_, which = divmod(index, len(_VARIABLES))
        return f"{_VARIABLES[which]}{round_ + 1 if round_ else ''}"

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
