"""The vectors of a folder (v1) against reader.py: the good ones must read back, the bad ones must be refused.

    check_vectors.py FOLDER
"""
import hashlib
import json
import os
import sys

import reader
from reader import Refused


class Vectors:
    def __init__(self, folder):
        self.folder = folder
        self.keys, self.good, self.bad = (self.json(name) for name in ("keys.json", "good.json", "bad.json"))
        self.names = {found["what"]: found["name"] for found in self.good["objects"]}
        self.repository_id = bytes.fromhex(self.keys["repository"])
        self.identity = reader.Identity(bytes.fromhex(self.keys["identitySeed"]))
        self.secrets = {
            "passphrase": self.keys["passphrase"],
            "recovery code": reader.read_recovery_code(self.keys["recoveryCode"]),
            "reader key": bytes.fromhex(self.keys["readerKey"]),
        }

    def bytes(self, *path):
        with open(os.path.join(self.folder, *path), "rb") as file:
            return file.read()

    def json(self, *path):
        return json.loads(self.bytes(*path))

    def object(self, what):
        return self.bytes("repository", self.names[what])

    def id(self, what):
        return bytes.fromhex(self.names[what].split("/")[-1])


def same(actual, expected, what):
    if actual != expected:
        raise AssertionError(f"{what}: {actual!r} is not {expected!r}")


def check_keys(vectors):
    keys, identity = vectors.keys, vectors.identity
    same(identity.public.hex(), keys["recipientPublicKey"], "X-Wing public key")
    same(identity.root.public_bytes_raw().hex(), keys["rootPublicKey"], "root public key")
    same(vectors.secrets["recovery code"].hex(), keys["recoverySecret"], "recovery code")
    writer = open_writer(vectors, vectors.object("writer record"))
    same(writer.id.hex(), keys["writer"]["id"], "writer id")
    same(writer.key.hex(), keys["writer"]["key"], "writer key")
    for label, value in keys["writer"]["subkeys"].items():
        same(writer.subkey(label).hex(), value, label)
    for label in ("chunk id", "page cut"):
        same(writer.subkey(label, keys["install"]["name"]).hex(), keys["install"][label], label)


def check_good(vectors):
    for found in vectors.good["objects"]:
        data = vectors.bytes("repository", found["name"])
        same(hashlib.blake2b(data, digest_size=32).hexdigest(), found["blake2b256"], found["what"])
        if found["what"].startswith("key slot"):
            same(open_slot(vectors, data).hex(), vectors.keys["identitySeed"], found["what"])
    for secret in vectors.secrets.items():
        repository = reader.Repository(os.path.join(vectors.folder, "repository"), secret)
        same(reader.verify(repository)["snapshots"], 1, "snapshots")
    snapshot = repository.snapshots()[0]
    same(snapshot.cover, vectors.good["cover"], "cover")
    same(snapshot.body, vectors.good["body"], "body")
    content = reader.Content(repository, snapshot)
    entries = list(content.tree(snapshot.body["roots"][0]))
    same(len(entries), len(vectors.good["entries"]), "entries")
    for entry, expected in zip(entries, vectors.good["entries"]):
        check_entry(entry, expected)
        text = vectors.good["files"].get(expected["path"])
        if text is not None:
            same(b"".join(content.file(entry)), text.encode(), expected["path"])
    revocation = open_revocation(vectors, vectors.object("revocation"))
    same(revocation, {one["digest"] for one in vectors.good["revocation"]["snapshots"]}, "revocation")
    writer_id, forgotten = open_forget_record(vectors, vectors.object("forget record"))
    same(writer_id.hex(), vectors.good["forgotten"]["writer"], "forget record")
    expected = [(one["sequence"], one["digest"]) for one in vectors.good["forgotten"]["snapshots"]]
    same([(number, digest.hex()) for number, digest in forgotten], expected, "forget record")
    snapshots, emptied = open_repack_record(vectors, vectors.object("repack record"))
    repacked = vectors.good["repacked"]
    same(sorted(snapshots), repacked["snapshots"], "repack record")
    moves = {pack.hex(): [(new.hex(), size) for _, new, size in into] for (_, pack), into in emptied.items()}
    packs = [(one["pack"], one["size"]) for one in repacked["packs"]]
    expected = {one["pack"]: [packs[at] for at in one["into"]] for one in repacked["emptied"]}
    same(moves, expected, "repack record")
    same(open_drill(vectors, vectors.object("drill record")), vectors.good["drill"], "drill record")
    tombstone = reader.parse_tombstone(vectors.object("tombstone"), vectors.identity.root)
    same(len(tombstone), len(vectors.good["condemned"]), "tombstone")


def check_entry(entry, expected):
    types = {"dir": reader.DIRECTORY, "file": reader.FILE, "symlink": reader.SYMLINK, "hardlink": reader.HARDLINK}
    same(entry["type"], types[expected["type"]], "type")
    same(shown(entry["path"]), expected["path"], "path")
    for ours, theirs in (("mode", "mode"), ("uid", "uid"), ("gid", "gid"), ("size", "size"), ("depth", "depth")):
        same(entry.get(ours), expected.get(theirs), ours)
    same(str(entry["mtime"]), expected["mtimeNs"], "mtime")
    same((entry["user"].decode(), entry["group"].decode()), (expected["owner"], expected["group"]), "owner")
    if "ids" in expected:
        same(b"".join(entry["ids"]).hex(), expected["ids"], "ids")
        flags = sum(bit for bit, name in ((1, "sparse"), (2, "secret"), (4, "database")) if expected[name])
        same(entry["flags"], flags, "flags")
        same(entry["chunk size"], expected["chunkBytes"], "chunk size")
    if "target" in expected:
        same(shown(entry["target"]), expected["target"], "target")


def shown(path):
    """Section 11: how a path is written in JSON."""
    out = ""
    for char in path.decode("utf-8", "surrogateescape"):
        code = ord(char)
        if 0xDC80 <= code <= 0xDCFF:
            out += f"\\x{code - 0xDC00:02x}"
        elif code < 0x20 or 0x7F <= code <= 0x9F:
            out += "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8"))
        else:
            out += "\\\\" if char == "\\" else char
    return out


def check_bad(vectors):
    openers = {
        "repository header": reader.repository_id,
        "key slot": lambda data: open_slot(vectors, data),
        "writer record": lambda data: open_writer(vectors, data),
        "pack": lambda data: open_pack(vectors, data),
        "index": lambda data: reader.parse_index(open_box(vectors, data, "indexes", "index")),
        "pack list": lambda data: reader.parse_pack_list(open_box(vectors, data, "lists", "pack list")),
        "snapshot": lambda data: open_snapshot(vectors, data),
        "revocation": lambda data: open_revocation(vectors, data),
        "forget record": lambda data: open_forget_record(vectors, data),
        "repack record": lambda data: open_repack_record(vectors, data),
        "drill record": lambda data: open_drill(vectors, data),
        "tombstone": lambda data: open_tombstone(vectors, data),
        "page": reader.parse_page,
    }
    accepted = []
    for vector in vectors.bad:
        try:
            openers[vector["kind"]](vectors.bytes("bad", vector["file"]))
            accepted.append(vector["file"])
        except Refused:
            pass
    same(accepted, [], "accepted bad vectors")
    return len(vectors.bad)


def open_slot(vectors, data):
    slot = reader.parse_slot(data)
    way = slot["opens"]["with"]
    reader.need(way in vectors.secrets, "unknown way to open a slot")
    # A slot with another id than its name has is found under the name of a good one.
    ids = {vectors.id(what).hex() for what in vectors.names if what.startswith("key slot")}
    own = slot["slot"] if slot["slot"] in ids else "f" * 32
    return reader.open_slot(slot, own, vectors.keys["repository"], (way, vectors.secrets[way]))


def open_writer(vectors, data):
    return reader.Writer(data, vectors.repository_id, vectors.id("writer record"), vectors.identity)


def open_pack(vectors, data):
    writer = open_writer(vectors, vectors.object("writer record"))
    pack = reader.Pack(data, vectors.repository_id, writer.id, vectors.id("pack"), vectors.identity)
    key = writer.subkey("chunk id", vectors.keys["install"]["name"])
    for number in range(len(pack.frames)):
        for chunk_id, content in pack.chunks_of(number):
            reader.need(reader.chunk_id_of(key, 1, content) == chunk_id, "chunk is not its id")


def open_box(vectors, data, folder, label):
    writer = open_writer(vectors, vectors.object("writer record"))
    return reader.open_small(data, folder, label, vectors.repository_id, writer, vectors.id(label))


def open_snapshot(vectors, data):
    writer = open_writer(vectors, vectors.object("writer record"))
    reader.Snapshot(data, vectors.repository_id, writer, vectors.id("snapshot"), vectors.identity)


def open_revocation(vectors, data):
    return reader.parse_revocation(data, vectors.repository_id, vectors.id("revocation"), vectors.identity.root)


def open_repack_record(vectors, data):
    own = vectors.id("repack record")
    return reader.parse_repack_record(data, vectors.repository_id, own, vectors.identity.root)


def open_forget_record(vectors, data):
    return reader.parse_forget_record(data, vectors.repository_id, vectors.id("forget record"), vectors.identity.root)


def open_drill(vectors, data):
    writer = open_writer(vectors, vectors.object("writer record"))
    return reader.parse_drill(data, vectors.repository_id, writer, vectors.id("drill record"))


def open_tombstone(vectors, data):
    own = vectors.id("tombstone")
    reader.check_header(data, "tombstones", vectors.repository_id, bytes(16), own)
    reader.parse_tombstone(data, vectors.identity.root)


def main(folder):
    vectors = Vectors(folder)
    check_keys(vectors)
    check_good(vectors)
    refused = check_bad(vectors)
    print(json.dumps({"good": len(vectors.good["objects"]), "refused": refused}))


if __name__ == "__main__":
    main(sys.argv[1])
