"""Speech for programs: text that is spoken, without a conversation around it."""
