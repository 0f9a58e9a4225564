"""What schemathesis cannot know: how a remote_write body goes over the wire. It makes up bytes, and bytes they stay."""

import schemathesis


@schemathesis.serializer("application/x-protobuf")
def as_bytes(_, value):
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    return bytes(getattr(value, "data", None) or str(value).encode())
