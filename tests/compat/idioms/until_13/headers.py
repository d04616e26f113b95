"""Headers as a dictionary that a program copies, prints and asks."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import copy
import pickle

from websockets.datastructures import Headers, MultipleValuesError

headers = Headers({"Host": "localhost", "X-One": "1"}, Cookie="a=b")
headers["Set-Cookie"] = "first"
headers["Set-Cookie"] = "second"
twin = copy.copy(headers)
deep = copy.deepcopy(headers)
print(twin == headers, twin is headers, deep == headers, headers.copy() == headers)
print(headers["host"], headers.get("HOST"), headers.get("missing"), headers.get("missing", "no"))
print("x-one" in headers, "X-Two" in headers, len(headers), sorted(headers))
print(headers.get_all("set-cookie"), list(headers.raw_items()))
try:
    headers["Set-Cookie"]
except MultipleValuesError as exc:
    print("several", isinstance(exc, LookupError), isinstance(exc, KeyError))
try:
    headers["Missing"]
except KeyError:
    print("missing")
del headers["Set-Cookie"]
print(dict(headers), dict(headers.items()), headers.setdefault("X-New", "2"), headers.pop("X-New"))
print("Set-Cookie" in deep, repr(headers), str(headers).encode())
headers.update({"X-One": "uno"})
print(headers.get_all("X-One"), Headers([("a", "b")]) == Headers(a="b"), Headers() == {})
print(pickle.loads(pickle.dumps(headers)) == headers)
headers.clear()
print(len(headers), bool(headers))
