"""What stands behind the "?" of a request, as a type says."""

from typing import TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request

_Q = TypeVar("_Q", bound=msgspec.Struct)


def query(request: Request, kind: type[_Q]) -> _Q:
    """Return a request's query; what `kind` has no field for is left alone.

    Raises:
        HTTPException: if a value is not what it should be; the sentence says which.
    """
    names = kind.__struct_fields__
    given = {name: value for name, value in request.query_params.items() if name in names}
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise HTTPException(422, f"The query is not what is asked for: {error}.") from error
