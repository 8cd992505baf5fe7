"""An account as ElevenLabs' SDKs see it: there is nothing to buy here."""

from typing import Any

import msgspec

from server.access.caller import Caller

UNLIMITED = 1_000_000_000
"""Characters a month, for who has no limit: clients want a number."""

MONTHLY = "monthly_period"


class Price(msgspec.Struct, frozen=True):
    """No price."""

    amount: str = "0"
    currency: str = "usd"


class Subscription(msgspec.Struct, frozen=True):
    """What may be spoken this month, and what was. `open_invoices` are for those who look."""

    character_count: int
    character_limit: int
    next_character_count_reset_unix: int
    tier: str = "voiceforge"
    status: str = "active"
    max_character_limit_extension: None = None
    max_credit_limit_extension: int = 0
    can_extend_character_limit: bool = False
    allowed_to_extend_character_limit: bool = False
    voice_slots_used: int = 0
    professional_voice_slots_used: int = 0
    professional_voice_slots_used_in_workspace: int = 0
    voice_limit: int = 0
    voice_add_edit_counter: int = 0
    professional_voice_limit: int = 0
    can_extend_voice_limit: bool = False
    can_use_instant_voice_cloning: bool = False
    can_use_professional_voice_cloning: bool = False
    current_overage: Price = Price()
    billing_period: str = MONTHLY
    character_refresh_period: str = MONTHLY
    open_invoices: tuple[Any, ...] = ()
    has_open_invoices: bool = False


class User(msgspec.Struct, frozen=True):
    """The account of a key."""

    user_id: str
    workspace_id: str
    subscription: Subscription
    is_new_user: bool = False
    can_use_delayed_payment_methods: bool = False
    is_onboarding_completed: bool = True
    is_onboarding_checklist_completed: bool = True
    created_at: int = 0
    seat_type: str = "workspace_member"


def limit_of(caller: Caller) -> int:
    """How many characters may be spoken in a month: by the tighter of its two limits."""
    limits = (caller.key_limits.characters_per_month, caller.account_limits.characters_per_month)
    return min((one for one in limits if one is not None), default=UNLIMITED)
