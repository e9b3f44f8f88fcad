"""Where a model is listened to: each layer's `call`, wrapped on the object itself while somebody listens, and unwrapped after."""

import functools
from collections.abc import Callable
from typing import Any

Through = Callable[[Any, Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]


class Ears:
    """Wraps methods of single objects; of several on the same method each can be taken away in any order."""

    def __init__(self) -> None:
        self._worn: list[tuple[Any, str, Any]] = []

    def put_on(self, owner: Any, method: str, through: Through) -> None:
        """From here on `owner.method(...)` is `through(owner, method as it was, args, kwargs)`."""
        own = vars(owner)
        inner = own.get(method) or getattr(owner, method)

        @functools.wraps(inner)
        def ear(*args: Any, **kwargs: Any) -> Any:
            return through(owner, ear.__wrapped__, args, kwargs)

        ear.__wrapped__, ear.first = inner, method not in own  # type: ignore[attr-defined]
        own[method] = ear  # not setattr: Keras and torch keep books of what is set
        self._worn.append((owner, method, ear))

    def take_off(self) -> None:
        for owner, method, ear in reversed(self._worn):
            _unlink(vars(owner), method, ear)
        self._worn.clear()

    def wears(self, owner: Any) -> bool:
        return any(one is owner for one, _, _ in self._worn)


def _unlink(own: dict[str, Any], method: str, ear: Any) -> None:
    at = own[method]
    if at is ear:
        if ear.first:
            del own[method]
        else:
            own[method] = ear.__wrapped__
        return
    while at.__wrapped__ is not ear:
        at = at.__wrapped__
    at.__wrapped__, at.first = ear.__wrapped__, ear.first
