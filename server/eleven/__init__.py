"""ElevenLabs' dialect of the speech API: what its SDKs send, and what they expect."""
