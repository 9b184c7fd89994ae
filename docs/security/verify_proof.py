"""Checks a proof of `ringfence audit prove` with the standard library alone (RFC 9162, RFC 8032, C2SP signed-note):
python3 -I verify_proof.py PROOF.json VERIFIER-KEY    exits with 0 if it holds, else with 1 and a sentence that says why
"""
import base64, hashlib, json, pathlib, sys

P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
def check(good, why):
    good or sys.exit(f"NOT PROVED: {why}")
def sha256(data):
    return hashlib.sha256(data).digest()
def plus(a, b):  # RFC 8032 5.1.4, in affine coordinates
    t = D * a[0] * b[0] * a[1] * b[1]
    return ((a[0] * b[1] + b[0] * a[1]) * pow(1 + t, -1, P) % P, (a[1] * b[1] + a[0] * b[0]) * pow(1 - t, -1, P) % P)
def times(n, point):
    total = (0, 1)
    while n:
        total, point, n = plus(total, point) if n & 1 else total, plus(point, point), n >> 1
    return total
def point(data):  # RFC 8032 5.1.3
    y, sign = int.from_bytes(data, "little") % 2**255, data[31] >> 7
    x2 = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(x2, (P + 3) // 8, P)
    x = x if x * x % P == x2 else x * pow(2, (P - 1) // 4, P) % P
    check(y < P and x * x % P == x2 and (x or not sign), "the key or the signature is no point of the curve")
    return (x if x & 1 == sign else P - x, y)
def signed(key, message, signature):  # RFC 8032 5.1.7
    s, h = int.from_bytes(signature[32:], "little"), hashlib.sha512(signature[:32] + key + message).digest()
    base = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
    right = plus(point(signature[:32]), times(int.from_bytes(h, "little") % L, point(key)))
    return len(signature) == 64 and s < L and times(s, base) == right
def root(found, at, last, path):  # RFC 9162 2.1.3.2
    for each in path:
        check(last > 0 and len(each) == 32, "the path is too long, or holds something that is no hash")
        left = at & 1 or at == last
        found = sha256(b"\1" + each + found) if left else sha256(b"\1" + found + each)
        while left and at and not at & 1:
            at, last = at >> 1, last >> 1
        at, last = at >> 1, last >> 1
    return found if last == 0 else b""
def main(file, vkey):
    proof = json.loads(pathlib.Path(file).read_bytes())
    (name, ident, data), header, leaf = vkey.split("+", 2), json.loads(proof["header"]), bytes.fromhex(proof["leaf"])
    key, (text, _, lines) = base64.b64decode(data, validate=True), proof["head"].rpartition("\n\n")
    check((key[0], len(key), sha256(name.encode() + b"\n" + key)[:4].hex()) == (1, 33, ident), "the key is damaged")
    blobs = [base64.b64decode(line.split(" ")[2]) for line in lines.splitlines() if line.split(" ")[1] == name]
    good = [blob[4:] for blob in blobs if blob[:4].hex() == ident]
    check(good, f"the head is not signed by {name} ({ident})")
    check(all(signed(key[1:], f"{text}\n".encode(), each) for each in good), "the signature is not over this head")
    origin, size, top = text.split("\n")[:3]
    check(proof["v"] == 1 and origin == proof["origin"] == "ringfence/" + header["log"], "the record is of another log")
    check(int(size) == proof["size"] > proof["index"] == header["index"] >= 0, "size or index is not that of the head")
    check(sha256(b"\0" + proof["header"].encode()) == leaf, "the header does not hash to the leaf")
    found = root(leaf, proof["index"], proof["size"] - 1, [bytes.fromhex(each) for each in proof["path"]])
    check(base64.b64encode(found).decode() == top, "the path does not lead from the record to the root of the head")
    print(f"proved: record {header['index']} (run {header['run']}, seq {header['seq']}) is in {origin}; {name} signed")
try:
    main(*sys.argv[1:])
except (ValueError, KeyError, TypeError, IndexError, AttributeError, OSError) as error:
    check(False, f"expected a proof and a verifier key, got something else: {error!r}")
