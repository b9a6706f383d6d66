"""A second implementation of the format, written from src/format/FORMAT.md alone. It reads, and nothing else.

    reader.py REPOSITORY list
    reader.py REPOSITORY verify
    reader.py REPOSITORY restore SNAPSHOT ROOT PATH DESTINATION

REPOSITORY is a folder. The secret comes from the environment: STATEFERRY_PASSPHRASE, or
STATEFERRY_RECOVERY_CODE. PATH is relative to the root; an empty one is the whole root. `list` and `verify` print
one JSON document. Whatever is not as the page says ends with `refused: <reason>` and exit status 1.

Section numbers in the comments are those of FORMAT.md.
"""
import base64
import hashlib
import hmac
import json
import os
import stat
import struct
import sys
import unicodedata

import zstandard
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt as xchacha_open
from nacl.exceptions import CryptoError

KINDS = {
    "packs": 1,
    "indexes": 2,
    "lists": 3,
    "snapshots": 4,
    "writers": 5,
    "tombstones": 6,
    "revocations": 10,
    "forgets": 11,
    "drills": 12,
    "repacks": 13,
}
BODY_FRAME = 262_144
HEADER, SEALED_HEADER, KEM = 64, 1216, 1120


class Refused(Exception):
    """What was read is not what the page describes, or not what this repository's keys made."""


def need(condition, reason):
    if not condition:
        raise Refused(reason)


# ---- bytes ----------------------------------------------------------------------------------------------------


class Bytes:
    """A cursor that never reads past the end."""

    def __init__(self, data):
        self.data, self.at = memoryview(data), 0

    def take(self, count):
        need(0 <= count <= len(self.data) - self.at, "truncated")
        self.at += count
        return bytes(self.data[self.at - count : self.at])

    def number(self, code):
        return struct.unpack("<" + code, self.take(struct.calcsize("<" + code)))[0]

    def u8(self):
        return self.number("B")

    def u16(self):
        return self.number("H")

    def u32(self):
        return self.number("I")

    def u64(self):
        return self.number("Q")

    def rest(self):
        return self.take(len(self.data) - self.at)

    def end(self):
        need(self.at == len(self.data), "bytes left over")


def padme(size):
    exponent = size.bit_length() - 1
    step = 1 << (exponent - exponent.bit_length())
    return -(-size // step) * step


def unpad(padded):
    """Section 2, padded plaintext."""
    cursor = Bytes(padded)
    plain = cursor.take(cursor.u32())
    need(not any(cursor.rest()), "padding is not zero")
    need(len(padded) == padme(max(1024, len(plain) + 4)), "padding of a wrong length")
    return plain


def parse_json(data):
    try:
        return json.loads(data.decode("utf-8"))
    except ValueError as error:
        raise Refused("not JSON") from error


def fields(value, **types):
    """Checks that a JSON object has these members."""
    need(isinstance(value, dict), "no JSON object")
    for name, kind in types.items():
        need(name in value and isinstance(value[name], kind), f"{name} in JSON")
    return value


def is_hex(text, length):
    return len(text) == 2 * length and all(char in "0123456789abcdef" for char in text)


def from_base64(text, length=None):
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Refused("not Base64") from error
    need(length is None or len(data) == length, "Base64 of a wrong length")
    return data


# ---- section 2: keys ------------------------------------------------------------------------------------------


def blake(data, key=b""):
    return hashlib.blake2b(data, digest_size=32, key=key).digest()


def lp(part):
    data = part.encode("utf-8") if isinstance(part, str) else bytes(part)
    return struct.pack("<I", len(data)) + data


def kdf(key, label, *parts):
    return blake(b"".join(map(lp, ("stateferry/1", label, *parts))), key)


class Identity:
    def __init__(self, seed):
        expanded = hashlib.shake_256(kdf(seed, "xwing")).digest(96)
        self.kem = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
        self.x = X25519PrivateKey.from_private_bytes(expanded[64:])
        self.x_public = self.x.public_key().public_bytes_raw()
        self.public = self.kem.public_key().public_bytes_raw() + self.x_public
        self.root = Ed25519PrivateKey.from_private_bytes(kdf(seed, "root")).public_key()

    def shared_secret(self, ciphertext):
        need(len(ciphertext) == KEM, "KEM ciphertext of a wrong length")
        kem_part, x_part = ciphertext[:1088], ciphertext[1088:]
        kem_secret = self.kem.decapsulate(kem_part)
        try:
            x_secret = self.x.exchange(X25519PublicKey.from_public_bytes(x_part))
        except ValueError:  # a point of low order gives zeros, which this library refuses
            x_secret = bytes(32)
        return hashlib.sha3_256(kem_secret + x_secret + x_part + self.x_public + b"\\.//^\\").digest()


def check_signature(public, signature, purpose, data):
    try:
        public.verify(signature, lp("stateferry/1") + lp(purpose) + lp(blake(data)))
    except InvalidSignature as error:
        raise Refused(f"signature of a {purpose}") from error


def open_box(key, box, associated):
    need(len(box) >= 72, "box truncated")
    nonce, commitment, sealed = box[:24], box[24:56], box[56:]
    need(hmac.compare_digest(commitment, kdf(key, "box commit", nonce, associated)), "commitment of a box")
    try:
        return xchacha_open(sealed, associated, nonce, key)
    except CryptoError as error:
        raise Refused("box") from error


# ---- section 3: headers and frames ----------------------------------------------------------------------------


def check_header(data, folder, repository, writer, own):
    """The common header against the object's name."""
    need(len(data) >= HEADER, "truncated")
    need(data[:7] == b"stferry", "no object of this format")
    need(data[7] == 1, f"format version {data[7]}")
    want = bytes([KINDS[folder]]) + bytes(7) + repository + writer + own
    need(data[8:HEADER] == want, "header of another object")


class Sealed:
    """An object with a sealed header; opens its frames."""

    def __init__(self, identity, data, prefix=HEADER):
        self.body_at = prefix + KEM + 32
        need(len(data) >= self.body_at, "truncated")
        self.data = data
        h0 = blake(data[: prefix + KEM])
        key = kdf(identity.shared_secret(data[prefix : prefix + KEM]), "object", h0)
        commitment = data[prefix + KEM : self.body_at]
        need(hmac.compare_digest(commitment, kdf(key, "commit", h0)), "commitment of a sealed header")
        self.aead, self.h1 = ChaCha20Poly1305(key), blake(data[: self.body_at])

    def frame(self, number, start, length, last):
        need(16 <= length and start + length <= len(self.data), "frame out of bounds")
        associated = self.h1 + struct.pack("<IB", number, last)
        try:
            nonce = struct.pack("<I", number) + bytes(8)
            return self.aead.decrypt(nonce, self.data[start : start + length], associated)
        except InvalidTag as error:
            raise Refused(f"frame {number}") from error

    def body(self, start, end):
        need(end - start >= 16, "truncated")
        parts, stored = [], BODY_FRAME + 16
        for number, at in enumerate(range(start, end, stored)):
            length = min(stored, end - at)
            parts.append(self.frame(number, at, length, at + length == end))
        return b"".join(parts)


# ---- section 4: the repository's header -----------------------------------------------------------------------


def repository_id(data):
    """32 hex digits."""
    inner = fields(fields(parse_json(data), stateferry=dict)["stateferry"], format=int, repository=str)
    need(inner["format"] == 1, "format of stateferry.json")
    need(is_hex(inner["repository"], 16), "repository id")
    return inner["repository"]


# ---- section 5: key slots -------------------------------------------------------------------------------------

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def base32(data):
    bits = "".join(f"{byte:08b}" for byte in data)
    return "".join(CROCKFORD[int(bits[at : at + 5], 2)] for at in range(0, len(bits) // 5 * 5, 5))


def read_recovery_code(text):
    plain = text.upper().translate({ord("O"): "0", ord("I"): "1", ord("L"): "1"})
    plain = "".join(char for char in plain if char != "-" and not char.isspace())
    need(plain.startswith("SF1"), "recovery code without SF1")
    letters = plain[3:]
    need(len(letters) == 36 and all(char in CROCKFORD for char in letters), "letters of the recovery code")
    secret = sum(CROCKFORD.index(char) << (5 * (31 - at)) for at, char in enumerate(letters[:32]))
    secret = secret.to_bytes(20, "big")
    need(base32(blake(b"stateferry recovery" + secret))[:4] == letters[32:], "checksum of the recovery code")
    return secret


def parse_slot(data):
    need(len(data) <= 16_384, "key slot too large")
    slot = fields(parse_json(data), format=int, repository=str, slot=str, opens=dict, box=str)
    fields(slot["opens"], **{"with": str})
    if slot["opens"]["with"] == "passphrase":
        fields(slot["opens"], salt=str, memoryKiB=int, passes=int, lanes=int)
    return slot


def open_slot(slot, slot_id, repository, secret):
    """The identity seed. `secret` is ("passphrase", text), ("recovery code", 20 bytes) or ("reader key", 32 bytes)."""
    need(slot["format"] == 1 and slot["repository"] == repository and slot["slot"] == slot_id, "foreign key slot")
    opens, costs = slot["opens"], ""
    way, raw = secret
    need(opens["with"] == way, f"slot opens with {opens['with']}")
    if way == "passphrase":
        memory, passes, lanes = opens["memoryKiB"], opens["passes"], opens["lanes"]
        need(65_536 <= memory <= 524_288 and 2 <= passes <= 10 and 1 <= lanes <= 4, "Argon2 costs")
        salt = from_base64(opens["salt"], 16)
        argon = Argon2id(salt=salt, length=32, iterations=passes, lanes=lanes, memory_cost=memory)
        raw = argon.derive(unicodedata.normalize("NFC", raw).encode("utf-8"))
        costs = f"{opens['salt']} {memory} {passes} {lanes}"
    associated = "\n".join(["key slot", repository, slot_id, way, costs]).encode("utf-8")
    seed = open_box(kdf(raw, "slot"), from_base64(slot["box"]), associated)
    need(len(seed) == 32, "identity seed of a wrong length")
    return seed


# ---- section 6: writer records --------------------------------------------------------------------------------


class Writer:
    """The keys of one writer."""

    def __init__(self, data, repository, writer_id, identity):
        check_header(data, "writers", repository, writer_id, writer_id)
        need(len(data) >= 1248 + 16 + 64, "truncated")
        check_signature(identity.root, data[-64:], "writer record", data[:-64])
        self.id = writer_id
        self.signing = Ed25519PublicKey.from_public_bytes(data[64:96])
        sealed = Sealed(identity, data, prefix=96)
        record = parse_json(sealed.body(sealed.body_at, len(data) - 64))
        self.record = fields(record, machine=str, time=str, writerKey=str)
        self.key = from_base64(self.record["writerKey"], 32)

    def subkey(self, label, *parts):
        return kdf(self.key, label, *parts)


# ---- section 7: packs -----------------------------------------------------------------------------------------


def parse_directory(data):
    """[(offset, stored length, [(codec, stored, raw, [(id, length)])])]; all lengths add up."""
    cursor, frames, offset, chunk_count = Bytes(data), [], SEALED_HEADER, 0
    frame_count = cursor.u32()
    need(frame_count <= 65_536, "too many frames")
    for _ in range(frame_count):
        stored, segments = cursor.u32(), []
        need(16 <= stored <= 2 * 1024**2 + 16, "frame too large")
        for _ in range(cursor.u16()):
            codec, length, raw = cursor.u8(), cursor.u32(), cursor.u32()
            need(codec in (0, 1) and raw <= 1024**2 and (codec == 1 or raw == length), "segment")
            chunks = [(cursor.take(32), cursor.u32()) for _ in range(cursor.u16())]
            need(sum(length for _, length in chunks) == raw, "chunks of a segment do not add up")
            chunk_count += len(chunks)
            segments.append((codec, length, raw, chunks))
        need(sum(segment[1] for segment in segments) == stored - 16, "segments of a frame do not add up")
        frames.append((offset, stored, segments))
        offset += stored
    cursor.end()
    need(chunk_count <= 262_144, "too many chunks")
    return frames


class Pack:
    def __init__(self, data, repository, writer_id, pack_id, identity):
        check_header(data, "packs", repository, writer_id, pack_id)
        need(SEALED_HEADER + 32 <= len(data) <= 64 * 1024**2, "size of a pack")
        self.sealed = Sealed(identity, data)
        self.size = len(data)
        trailer = Bytes(self.sealed.frame(0xFFFF_FFFF, len(data) - 32, 32, True))
        count, offset, length, zero = (trailer.u32() for _ in range(4))
        need(zero == 0 and offset + length + 32 == len(data), "trailer of a pack")
        plain = Bytes(self.sealed.frame(count, offset, length, False))
        self.directory = plain.take(plain.u32())
        need(not any(plain.rest()), "padding is not zero")
        self.frames = parse_directory(self.directory)
        end = self.frames[-1][0] + self.frames[-1][1] if self.frames else SEALED_HEADER
        need(count == len(self.frames) and end == offset, "directory of a pack does not add up")

    def chunks_of(self, number):
        """(chunk id, content) of one data frame, not yet checked against the ids."""
        offset, stored, segments = self.frames[number]
        plain = Bytes(self.sealed.frame(number, offset, stored, False))
        for codec, length, raw, chunks in segments:
            segment = plain.take(length)
            if codec == 1:
                segment = decompress(segment, raw)
            need(len(segment) == raw, "segment of a wrong length")
            parts = Bytes(segment)
            for chunk_id, size in chunks:
                yield chunk_id, parts.take(size)
            parts.end()
        plain.end()


def decompress(data, raw):
    """Exactly one zstd frame, which gives exactly `raw` bytes."""
    unzip = zstandard.ZstdDecompressor(max_window_size=2**27).decompressobj()
    try:
        plain = unzip.decompress(data)
    except zstandard.ZstdError as error:
        raise Refused("zstd") from error
    need(unzip.eof and not unzip.unused_data and len(plain) == raw, "zstd frame of a wrong length")
    return plain


# ---- section 8: entries and pages -----------------------------------------------------------------------------

DIRECTORY, FILE, SYMLINK, HARDLINK = 1, 2, 3, 4


def chunk_id_of(key, kind, content):
    return hmac.new(key, bytes([kind]) + content, hashlib.sha256).digest()


def path_key(path):
    """Sorts `/` before every other byte."""
    return bytes(path).translate(SLASH_FIRST)


SLASH_FIRST = bytes(0 if byte == 0x2F else byte + (byte < 0x2F) for byte in range(256))


def check_path(path):
    if path != b"":
        names = path.split(b"/")
        need(all(name not in (b"", b".", b"..") and b"\0" not in name for name in names), "unsafe path")


def take_path(cursor):
    length = cursor.u16()
    need(length <= 4096, "path too long")
    return cursor.take(length)


def parse_entry(cursor):
    entry = {"path": take_path(cursor), "type": cursor.u8(), "flags": cursor.u8()}
    check_path(entry["path"])
    kind = entry["type"]
    need(1 <= kind <= 4, "type of an entry")
    need(entry["flags"] <= 7 if kind == FILE else entry["flags"] == 0, "flags of an entry")
    entry["mode"], entry["uid"], entry["gid"] = cursor.u16(), cursor.u32(), cursor.u32()
    need(entry["mode"] <= 0o7777, "mode of an entry")
    entry["user"], entry["group"] = cursor.take(cursor.u8()), cursor.take(cursor.u8())
    entry["mtime"] = cursor.number("q")
    if kind == FILE:
        entry["size"], log2, entry["depth"] = cursor.number("Q"), cursor.u8(), cursor.u8()
        need(12 <= log2 <= 20 and entry["size"] <= 2**48, "size of an entry")
        entry["chunk size"] = 1 << log2
        count = cursor.u32()
        need((count, entry["depth"]) == ids_of_size(entry["size"], 1 << log2), "ids of an entry")
        entry["ids"] = [cursor.take(32) for _ in range(count)]
    elif kind in (SYMLINK, HARDLINK):
        entry["target"] = take_path(cursor)
    return entry


def ids_of_size(size, chunk_size):
    count, depth = -(-size // chunk_size), 0
    while count > 64:
        count, depth = -(-count // 1024), depth + 1
    return count, depth


def parse_page(data):
    """(level, entries) or (level, [(first path, chunk id)]), sorted."""
    need(len(data) <= 262_144, "page too large")
    cursor = Bytes(data)
    level, count = cursor.u8(), cursor.u32()
    need(level < 9 and count <= 8192, "page too large")
    if level == 0:
        items = [parse_entry(cursor) for _ in range(count)]
        keys = [path_key(entry["path"]) for entry in items]
    else:
        items = [(take_path(cursor), cursor.take(32)) for _ in range(count)]
        keys = [path_key(path) for path, _ in items]
    cursor.end()
    need(all(a < b for a, b in zip(keys, keys[1:])), "page not sorted")
    return level, items


# ---- sections 9 to 12 -----------------------------------------------------------------------------------------


def parse_listed(cursor):
    writer_id, pack_id, size = cursor.take(16), cursor.take(16), cursor.u32()
    need(size <= 64 * 1024**2, "size of a pack")
    return writer_id, pack_id, size


def parse_index(plain):
    cursor, packs = Bytes(plain), []
    for _ in range(cursor.u32()):
        pack = parse_listed(cursor)
        packs.append((*pack, parse_directory(cursor.take(cursor.u32()))))
    cursor.end()
    return packs


def parse_pack_list(plain):
    cursor = Bytes(plain)
    packs = [parse_listed(cursor) for _ in range(cursor.u32())]
    cursor.end()
    names = [pack[:2] for pack in packs]
    need(all(a < b for a, b in zip(names, names[1:])), "pack list not sorted")
    return packs


def parse_tombstone(data, root):
    need(len(data) >= HEADER + 4 + 64, "truncated")
    check_signature(root, data[-64:], "tombstone", data[:-64])
    cursor = Bytes(data[HEADER:-64])
    doomed = [(cursor.u8(), cursor.take(16), cursor.take(16)) for _ in range(cursor.u32())]
    cursor.end()
    folder = {1: b"packs/", 3: b"lists/"}
    need(all(kind in folder for kind, _, _ in doomed), "kind in a tombstone")
    names = [folder[kind] + writer.hex().encode() + b"/" + own.hex().encode() for kind, writer, own in doomed]
    need(all(a < b for a, b in zip(names, names[1:])), "tombstone not sorted")
    return doomed


def parse_revocation(data, repository, writer_id, root):
    """Section 17: the digests of the snapshots that count."""
    check_header(data, "revocations", repository, writer_id, writer_id)
    need(len(data) >= HEADER + 12 + 64, "truncated")
    check_signature(root, data[-64:], "revocation", data[:-64])
    cursor = Bytes(data[HEADER:-64])
    need(cursor.number("Q") <= 8_640_000_000_000_000, "time of a revocation")
    counted = [(cursor.number("Q"), cursor.take(32)) for _ in range(cursor.u32())]
    cursor.end()
    need(all(a < b for a, b in zip(counted, counted[1:])), "revocation not sorted")
    need(all(sequence > 0 for sequence, _ in counted), "number of a snapshot")
    return {digest.hex() for _, digest in counted}


def parse_forget_record(data, repository, own, root):
    """The writer whose snapshots were forgotten, and their digests by number."""
    need(len(data) >= HEADER + 4 + 64, "truncated")
    writer = data[32:48]
    check_header(data, "forgets", repository, writer, own)
    check_signature(root, data[-64:], "forget record", data[:-64])
    cursor = Bytes(data[HEADER:-64])
    forgotten = [(cursor.u64(), cursor.take(32)) for _ in range(cursor.u32())]
    cursor.end()
    need(len(forgotten) > 0, "forget record of nothing")
    need(all(0 < number < 2**53 for number, _ in forgotten), "number of a snapshot")
    need(all(a < b for a, b in zip(forgotten, forgotten[1:])), "forget record not sorted")
    return writer, forgotten


def parse_repack_record(data, repository, own, root):
    """Section 19: (digests of snapshots, {emptied pack: [new pack]}), packs as (writer id, pack id, size)."""
    need(len(data) >= HEADER + 12 + 64, "truncated")
    writer = data[32:48]
    check_header(data, "repacks", repository, writer, own)
    check_signature(root, data[-64:], "repack record", data[:-64])
    cursor = Bytes(data[HEADER:-64])
    snapshots = [cursor.take(32) for _ in range(cursor.u32())]
    packs = [(writer, cursor.take(16), cursor.u32()) for _ in range(cursor.u32())]
    emptied = []
    for _ in range(cursor.u32()):
        pack = cursor.take(16)
        emptied.append((pack, [cursor.u32() for _ in range(cursor.u32())]))
    cursor.end()
    need(snapshots and emptied, "repack record about nothing")
    need(all(size <= 64 * 1024**2 for _, _, size in packs), "size of a pack")
    for names in (snapshots, [pack[1] for pack in packs], [pack for pack, _ in emptied]):
        need(all(a < b for a, b in zip(names, names[1:])), "repack record not sorted")
    need(not {pack[1] for pack in packs} & {pack for pack, _ in emptied}, "a pack emptied into itself")
    for _, into in emptied:
        need(all(a < b for a, b in zip(into, into[1:])) and all(at < len(packs) for at in into), "a new pack")
    return {digest.hex() for digest in snapshots}, {(writer, pack): [packs[at] for at in into] for pack, into in emptied}


def parse_drill(data, repository, writer, own):
    """Section 18: what a drill found out, by the word of the machine that ran it."""
    check_header(data, "drills", repository, writer.id, own)
    need(len(data) >= HEADER + 64, "truncated")
    check_signature(writer.signing, data[-64:], "drill record", data[:-64])
    told = parse_json(open_small(data[:-64], "drills", "drill record", repository, writer, own))
    fields(told, time=str, snapshot=dict, install=str, machine=str, passed=bool, checks=list, seen=list)
    for seen in [told["snapshot"], *told["seen"]]:
        fields(seen, writer=str, sequence=int, snapshot=str, digest=str, time=str)
        need(seen["sequence"] > 0 and is_hex(seen["writer"], 16), "what a drill saw")
        need(is_hex(seen["snapshot"], 16) and is_hex(seen["digest"], 32), "what a drill saw")
    return told


def open_small(data, folder, label, repository, writer, own):
    """An index or a pack list: common header and box."""
    check_header(data, folder, repository, writer.id, own)
    return unpad(open_box(writer.subkey(label), data[HEADER:], data[:HEADER]))


def check_cover(cover):
    fields(cover, sequence=int, time=str, install=str, machine=str, files=int, bytes=int, packList=str)
    need(cover["sequence"] >= 1 and is_hex(cover["packList"], 16), "cover")
    need(0 <= cover["files"] < 2**53 and 0 <= cover["bytes"] < 2**53, "counts in a cover")
    return cover


def check_body(body):
    fields(body, tool=str, install=dict, roots=list, omissions=list, problems=list)
    fields(body["install"], install=str, brand=str, profile=str, platform=str, home=str)
    for root in body["roots"]:
        fields(root, name=str, kind=str, path=str, page=str, files=int, bytes=int)
        need(is_hex(root["page"], 32), "page of a root")
    need("chunkIdKey" not in body or is_hex(body["chunkIdKey"], 32), "chunk-id key of a body")
    return body


class Snapshot:
    def __init__(self, data, repository, writer, own, identity):
        check_header(data, "snapshots", repository, writer.id, own)
        need(len(data) >= SEALED_HEADER + 4 + 72 + 16 + 64, "truncated")
        check_signature(writer.signing, data[-64:], "snapshot", data[:-64])
        cover_length = struct.unpack_from("<I", data, SEALED_HEADER)[0]
        body_at = SEALED_HEADER + 4 + cover_length
        need(body_at <= len(data) - 64, "cover out of bounds")
        cover = open_box(writer.subkey("cover"), data[SEALED_HEADER + 4 : body_at], data[:SEALED_HEADER])
        self.id, self.writer, self.digest = own, writer, blake(data).hex()
        self.cover = check_cover(parse_json(unpad(cover)))
        self.body = check_body(parse_json(unpad(Sealed(identity, data).body(body_at, len(data) - 64))))
        self.install = self.body["install"]["install"]
        need(self.cover["install"] == self.install, "cover and body name different installs")
        own = writer.subkey("chunk id", self.install)
        self.chunk_key = bytes.fromhex(self.body["chunkIdKey"]) if "chunkIdKey" in self.body else own


# ---- section 13: a repository ---------------------------------------------------------------------------------


class Repository:
    def __init__(self, folder, secret):
        self.folder = folder
        self.id_text = repository_id(self.read("stateferry.json"))
        self.id = bytes.fromhex(self.id_text)
        self.identity = Identity(self.open_any_slot(secret))
        self.writers, self.revoked = {}, {}
        for own in self.names("writers"):
            self.writers[own] = Writer(self.read("writers", own.hex()), self.id, own, self.identity)

        for own in self.names("revocations"):
            data = self.read("revocations", own.hex())
            self.revoked[own] = parse_revocation(data, self.id, own, self.identity.root)

    def read(self, *segments):
        with open(os.path.join(self.folder, *segments), "rb") as file:
            return file.read()

    def names(self, *segments):
        try:
            return [bytes.fromhex(name) for name in sorted(os.listdir(os.path.join(self.folder, *segments)))]
        except FileNotFoundError:
            return []

    def open_any_slot(self, secret):
        reasons = []
        for own in self.names("keys"):
            try:
                return open_slot(parse_slot(self.read("keys", own.hex())), own.hex(), self.id_text, secret)
            except Refused as error:
                reasons.append(str(error))
        raise Refused(f"no key slot opens ({', '.join(reasons)})")

    def snapshots(self):
        found = []
        for writer in self.writers.values():
            for own in self.names("snapshots", writer.id.hex()):
                data = self.read("snapshots", writer.id.hex(), own.hex())
                snapshot = Snapshot(data, self.id, writer, own, self.identity)
                if snapshot.digest in self.revoked.get(writer.id, [snapshot.digest]):
                    found.append(snapshot)
        return sorted(found, key=lambda snapshot: (snapshot.cover["time"], snapshot.id))

    def pack(self, writer_id, pack_id):
        data = self.read("packs", writer_id.hex(), pack_id.hex())
        return Pack(data, self.id, writer_id, pack_id, self.identity)

    def pack_list(self, writer, own):
        data = self.read("lists", writer.id.hex(), own.hex())
        return parse_pack_list(open_small(data, "lists", "pack list", self.id, writer, own))

    def repack_records(self):
        """Those that the root key signed; whatever else lies there means nothing."""
        for own in self.names("repacks"):
            data = self.read("repacks", own.hex())
            try:
                yield parse_repack_record(data, self.id, own, self.identity.root)
            except Refused:
                continue

    def has(self, pack):
        path = os.path.join(self.folder, "packs", pack[0].hex(), pack[1].hex())
        return os.path.exists(path) and os.path.getsize(path) == pack[2]

    def where(self, digest, pack, records, passed=()):
        """The packs that hold what a snapshot needs of this one: section 19."""
        name = pack[:2]
        for snapshots, emptied in records:
            if digest not in snapshots or name not in emptied or name in passed:
                continue
            ends = [self.where(digest, new, records, (*passed, name)) for new in emptied[name]]
            if all(end is not None for end in ends):
                return [one for end in ends for one in end]
        return [pack] if self.has(pack) else None

    def index(self, writer, own):
        data = self.read("indexes", writer.id.hex(), own.hex())
        return parse_index(open_small(data, "indexes", "index", self.id, writer, own))


class Content:
    """The chunks of one snapshot, found through its pack list and the packs' own directories."""

    def __init__(self, repository, snapshot):
        self.repository, self.key = repository, snapshot.chunk_key
        self.places, self.pack_ids, self.open_pack, self.cache = {}, {}, (None, None), (None, {})
        list_id = bytes.fromhex(snapshot.cover["packList"])
        records = list(repository.repack_records())
        listed = repository.pack_list(snapshot.writer, list_id)
        found = [(pack, repository.where(snapshot.digest, pack, records)) for pack in listed]
        packs = [one for pack, moved in found for one in ([pack] if moved is None else moved)]
        for writer_id, pack_id, size in dict.fromkeys(packs):
            pack = self.pack((writer_id, pack_id))
            need(pack.size == size, "size of a pack is not what its list says")
            for number, (_, _, segments) in enumerate(pack.frames):
                for _, _, _, chunks in segments:
                    for chunk_id, _ in chunks:
                        self.places.setdefault(chunk_id, ((writer_id, pack_id), number))

    def pack(self, name):
        if self.open_pack[0] != name:
            self.open_pack = (name, self.repository.pack(*name))
        return self.open_pack[1]

    def chunk(self, chunk_id, kind):
        need(chunk_id in self.places, f"chunk {chunk_id.hex()} is in no pack")
        place = self.places[chunk_id]
        if self.cache[0] != place:
            self.cache = (place, dict(self.pack(place[0]).chunks_of(place[1])))
        content = self.cache[1][chunk_id]
        need(hmac.compare_digest(chunk_id_of(self.key, kind, content), chunk_id), f"chunk {chunk_id.hex()} is not its id")
        return content

    def entries(self, page_id, want_level=None, want_path=None):
        level, items = parse_page(self.chunk(page_id, 2))
        need(want_level is None or level == want_level, "level of a page")
        if want_path is not None:
            need(items and (items[0]["path"] if level == 0 else items[0][0]) == want_path, "first path of a page")
        for item in items:
            if level == 0:
                yield item
            else:
                yield from self.entries(item[1], level - 1, item[0])

    def tree(self, root):
        last, files = None, set()
        for entry in self.entries(bytes.fromhex(root["page"])):
            key = path_key(entry["path"])
            need(last is None or last < key, "tree not sorted")
            if entry["type"] == FILE:
                files.add(entry["path"])
            if entry["type"] == HARDLINK:
                need(entry["target"] in files, "hard link to something that is no earlier file")
            last = key
            yield entry

    def file(self, entry):
        ids = entry["ids"]
        for _ in range(entry["depth"]):
            lists = [self.chunk(chunk_id, 3) for chunk_id in ids]
            need(all(len(part) == 32_768 for part in lists[:-1]), "list of a wrong length")
            need(0 < len(lists[-1]) <= 32_768 and len(lists[-1]) % 32 == 0, "list of a wrong length")
            joined = b"".join(lists)
            ids = [joined[at : at + 32] for at in range(0, len(joined), 32)]
        left = entry["size"]
        need(len(ids) == -(-left // entry["chunk size"]), "number of chunks of a file")
        for chunk_id in ids:
            content = self.chunk(chunk_id, 1)
            need(len(content) == min(left, entry["chunk size"]), "chunk of a wrong length")
            left -= len(content)
            yield content


# ---- commands -------------------------------------------------------------------------------------------------


def list_snapshots(repository):
    return [
        {"id": s.id.hex(), "writer": s.writer.id.hex(), "digest": s.digest, "cover": s.cover, "body": s.body}
        for s in repository.snapshots()
    ]


def verify(repository):
    """Every object and every chunk; returns what was counted."""
    counts = dict.fromkeys(("writers", "indexes", "lists", "packs", "snapshots", "forgets", "repacks", "tombstones", "entries", "bytes"), 0)
    counts["writers"] = len(repository.writers)
    for folder, opened in (("indexes", repository.index), ("lists", repository.pack_list)):
        for writer in repository.writers.values():
            for own in repository.names(folder, writer.id.hex()):
                opened(writer, own)
                counts[folder] += 1
    for writer in repository.writers.values():
        for own in repository.names("packs", writer.id.hex()):
            pack = repository.pack(writer.id, own)
            counts["packs"] += 1
            for number in range(len(pack.frames)):
                for _ in pack.chunks_of(number):
                    pass
    known = {writer_id: set() for writer_id in repository.writers}
    lost = set()
    for own in repository.names("forgets"):
        data = repository.read("forgets", own.hex())
        writer_id, forgotten = parse_forget_record(data, repository.id, own, repository.identity.root)
        known.setdefault(writer_id, set()).update(digest.hex() for _, digest in forgotten)
        lost.update((writer_id, number) for number, digest in forgotten if digest == bytes(32))
        counts["forgets"] += 1
    for own in repository.names("repacks"):
        parse_repack_record(repository.read("repacks", own.hex()), repository.id, own, repository.identity.root)
        counts["repacks"] += 1
    for own in repository.names("tombstones"):
        data = repository.read("tombstones", own.hex())
        check_header(data, "tombstones", repository.id, bytes(16), own)
        parse_tombstone(data, repository.identity.root)
        counts["tombstones"] += 1
    for snapshot in repository.snapshots():
        known[snapshot.writer.id].add(snapshot.digest)
    for snapshot in repository.snapshots():
        previous = snapshot.cover["previous"]
        accepted = (snapshot.writer.id, snapshot.cover["sequence"] - 1) in lost
        need(accepted or previous is None or previous in known[snapshot.writer.id], "hole in a chain that nothing explains")
        counts["snapshots"] += 1
        content = Content(repository, snapshot)
        for root in snapshot.body["roots"]:
            for entry in content.tree(root):
                counts["entries"] += 1
                if entry["type"] == FILE:
                    counts["bytes"] += sum(map(len, content.file(entry)))
    return counts


def restore(repository, snapshot_text, root_name, path, destination):
    matches = [s for s in repository.snapshots() if s.id.hex().startswith(snapshot_text)]
    need(len(matches) == 1, f"{len(matches)} snapshots match")
    content = Content(repository, matches[0])
    roots = [root for root in matches[0].body["roots"] if root["name"] == root_name]
    need(len(roots) == 1, f"no root {root_name}")
    folders, count = [], 0
    for entry in content.tree(roots[0]):
        inner = entry["path"]
        if inner != path and path != b"" and not inner.startswith(path + b"/"):
            continue
        relative = inner[len(path) :].lstrip(b"/")
        target = os.path.join(os.fsencode(destination), relative) if relative else os.fsencode(destination)
        place(content, entry, target, path, os.fsencode(destination))
        if entry["type"] == DIRECTORY:
            folders.append((target, entry))
        count += 1
    for target, entry in reversed(folders):
        set_attributes(target, entry)
    need(count > 0, "no such path in the snapshot")
    return count


def place(content, entry, target, path, destination):
    parent = os.path.dirname(target)
    need(not os.path.lexists(parent) or stat.S_ISDIR(os.lstat(parent).st_mode), "a link where a directory must be")
    if entry["type"] == DIRECTORY:
        os.mkdir(target, 0o700)
    elif entry["type"] == SYMLINK:
        os.symlink(entry["target"], target)
    elif entry["type"] == HARDLINK:
        need(path == b"" or entry["target"].startswith(path + b"/"), "hard link to outside what is restored")
        os.link(os.path.join(destination, entry["target"][len(path) :].lstrip(b"/")), target)
    else:
        with open(target, "xb") as file:
            for part in content.file(entry):
                file.write(part)
        set_attributes(target, entry)


def set_attributes(target, entry):
    os.chmod(target, entry["mode"])
    os.utime(target, ns=(entry["mtime"], entry["mtime"]))


def secret_from_environment():
    if "STATEFERRY_RECOVERY_CODE" in os.environ:
        return "recovery code", read_recovery_code(os.environ["STATEFERRY_RECOVERY_CODE"])
    need("STATEFERRY_PASSPHRASE" in os.environ, "STATEFERRY_PASSPHRASE is not set")
    return "passphrase", os.environ["STATEFERRY_PASSPHRASE"]


def main(arguments):
    try:
        repository = Repository(arguments[0], secret_from_environment())
        if arguments[1] == "list" and len(arguments) == 2:
            answer = list_snapshots(repository)
        elif arguments[1] == "verify" and len(arguments) == 2:
            answer = verify(repository)
        elif arguments[1] == "restore" and len(arguments) == 6:
            snapshot, root, path, destination = arguments[2:]
            answer = {"entries": restore(repository, snapshot, root, os.fsencode(path), destination)}
        else:
            raise SystemExit(__doc__)
    except Refused as error:
        print(f"refused: {error}", file=sys.stderr)
        return 1
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
