# Checks X-Countersign-Assertion in Python, with PyJWT and cryptography. A back end calls `check` for every request,
# before anything else, and refuses the request with 401 where it raises.
import base64
import hashlib
import json
import os
import sys

import jwt

ISSUER = os.environ["ISSUER"]  # the public URL of Countersign
AUDIENCE = os.environ["AUDIENCE"]  # what the gateway was created with: --assertion-audience
# In a back end: jwt.PyJWKClient("https://…/.well-known/jwks.json", lifespan=300), which fetches and refreshes it.
with open(os.environ["KEY_SET"]) as file:
    KEYS = {key.key_id: key for key in jwt.PyJWKSet.from_dict(json.load(file)).keys}


def check(assertion, method, target, host):
    header = jwt.get_unverified_header(assertion)
    if header.get("typ") != "countersign-assertion+jwt" or "crit" in header:
        raise jwt.InvalidTokenError("it is another kind of statement")
    key = KEYS.get(header.get("kid"))
    if key is None:
        raise jwt.InvalidTokenError("its key is not known")
    claims = jwt.decode(
        assertion,
        key.key,
        algorithms=["EdDSA"],
        issuer=ISSUER,
        audience=AUDIENCE,
        leeway=5,
        options={"require": ["iss", "aud", "sub", "exp", "iat", "jti", "method", "path_sha256"]},
    )
    if claims["exp"] - claims["iat"] > 30:
        raise jwt.InvalidTokenError("it holds for longer than assertions do")
    digest = hashlib.sha256(target.encode()).digest()
    expected = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    if claims["method"] != method or claims["path_sha256"] != expected:
        raise jwt.InvalidTokenError("it is about another request")
    if claims["host"] not in ("", host):
        raise jwt.InvalidTokenError("it is about another host")
    return claims


# One request a line: {"assertion": …, "method": …, "target": …, "host": …}.
for line in sys.stdin:
    request = json.loads(line)
    try:
        print("believed", check(**request)["sub"], flush=True)
    except (jwt.PyJWTError, ValueError) as problem:
        print("refused", str(problem).replace("\n", " "), flush=True)
