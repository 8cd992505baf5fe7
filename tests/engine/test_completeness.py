"""Completeness by words, on sentences that are not among the labelled turns."""

import pytest

from engine.completeness import Completeness, completeness

BROKEN_OFF = """
I'd like to book a | table for six people.
Can you tell me where the | nearest cash machine is?
We were thinking of | moving the party to June.
My daughter and I | are travelling on Friday.
Is there a discount for | students?
I bought this last week but | it has stopped working.
The reason I'm calling is | that my card was declined.
Could you put me through to | the sales department?
I want to complain about a | driver.
When I tried to log in it said that my | account was locked.
He told me that he would | send it by Monday.
I need two tickets, one for me and | one for my husband.
Do you sell shoes in | larger sizes?
It depends on whether | the weather is good.
I am looking for, uh, | a quiet hotel.
Let me see, | it was the twelfth.
If it rains tomorrow | can we move it indoors?
My phone number is zero two zero | seven nine four six.
The reference code is B seven | K two.
I think we should | paint the kitchen first.
Well, I'm | not sure about that.
She's been waiting since | eight this morning.
Would it be possible to | pay by invoice?
There's something wrong with the | heating.
What I really need is | a bigger van.
I'd prefer a room that has | a view.
Could you ask Mr. | Patel to ring me?
Please cancel the order because | I found it cheaper.
I was wondering | whether you have a garage.
It's more expensive than | the other one.
When we arrived at the hotel | nobody was there.
Put it under the name of | Johnson.
You can reach me at | home after six.
I wanted to ask if you | could come earlier.
My son has | a temperature.
The train leaves from | platform nine.
""".strip().splitlines()

WHOLE = """
Where is the nearest cash machine?
How are you?
What are you looking at?
Yes, I am.
No, thank you.
It was fine, thanks.
Turn the light on.
Can you turn it off?
That's all I wanted.
I live in Leeds.
My name is Sarah Jones.
Tomorrow at noon.
Two, please.
I don't think so.
Does the bus stop here?
Nobody told me.
I'll call you back later.
How much does it cost?
The delivery never came.
It doesn't work any more.
You can call me in the evening.
Please send it to my office.
What time do you close?
Set a timer for ten minutes.
Play some music.
If I pay today, do I get a discount?
When does the next train leave?
My number is zero two zero seven nine four six one two three.
I changed my mind.
Is anyone there?
Because my car broke down.
She said she was sorry.
We arrive on the second of May.
I would rather have the blue one.
Book it for Friday, then.
""".strip().splitlines()


def test_nearly_all_sentences_that_break_off_are_noticed() -> None:
    starts = [sentence.split(" | ")[0] for sentence in BROKEN_OFF]
    taken_as_whole = [start for start in starts if completeness(start) is Completeness.WHOLE]
    assert len(taken_as_whole) <= 1, taken_as_whole


def test_most_whole_sentences_are_taken_as_whole() -> None:
    sentences = WHOLE + [sentence.replace(" | ", " ") for sentence in BROKEN_OFF]
    doubted = [
        sentence for sentence in sentences if completeness(sentence) is not Completeness.WHOLE
    ]
    assert len(doubted) <= 7, doubted


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Completeness.WHOLE),
        ("?!", Completeness.WHOLE),
        ("Madrid.", Completeness.WHOLE),
        ("to?", Completeness.OPEN),
        ("I'd like to.", Completeness.OPEN),
        ("I don't want to.", Completeness.MAYBE),
        ("I'd like to speak with, um.", Completeness.STALLING),
        ("Hold on a second", Completeness.STALLING),
        ("Just a moment, please.", Completeness.STALLING),
        ("The address is twenty-four.", Completeness.DICTATING),
        ("My email address is anna", Completeness.DICTATING),
        ("My email address is anna at example dot com.", Completeness.WHOLE),
        ("My email is anna@example.com", Completeness.WHOLE),
        ("I need a new one.", Completeness.WHOLE),
        ("Set an alarm for six fifteen.", Completeness.WHOLE),
        ("5550123", Completeness.WHOLE),
        ("four, seven, two", Completeness.DICTATING),
        ("Tell me", Completeness.MAYBE),
        ("I don\u2019t know who he is", Completeness.MAYBE),
        ("it\u2019s", Completeness.OPEN),
    ],
)
def test_words_that_stand_at_an_edge(text: str, expected: Completeness) -> None:
    assert completeness(text) is expected


def test_final_punctuation_changes_nothing() -> None:
    for sentence in WHOLE:
        bare = sentence.rstrip(".?!")
        assert {completeness(bare + mark) for mark in ("", ".", "?", ",", "!")} == {
            completeness(sentence)
        }
