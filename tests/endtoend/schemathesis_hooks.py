"""What schemathesis cannot know: how bodies of remote_write and of agents go over the wire. It makes up bytes, and bytes they stay."""

import schemathesis


@schemathesis.serializer("application/x-protobuf", "application/vnd.ghm.batch")
def as_bytes(_, value):
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    return bytes(getattr(value, "data", None) or str(value).encode())
