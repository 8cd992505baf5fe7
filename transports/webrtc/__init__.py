"""The realtime protocol over WebRTC: events on a data channel, speech as Opus over SRTP."""
