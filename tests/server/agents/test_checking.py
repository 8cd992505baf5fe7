"""What no agent can be, before it is kept."""

from typing import Any

import pytest

from server.access.denied import Denied
from server.agents.checking import check
from server.agents.config import Afterwards, AgentConfig, LlmEndpoint


def extracting(**properties: Any) -> AgentConfig:
    text = {"type": "string"}
    extract = {"type": "object", "properties": properties, "$defs": {"Text": text}}
    return AgentConfig(afterwards=Afterwards(extract))


def test_what_is_to_be_extracted_is_tried_as_the_llm_is_given_it() -> None:
    check(extracting(name={"$ref": "#/$defs/Text"}))
    with pytest.raises(Denied, match=r"config\.afterwards\.extract.*no JSON Schema"):
        check(extracting(name={"type": "string"}, again={"$ref": "#/properties/name"}))
    with pytest.raises(Denied, match="must be"):
        check(AgentConfig(afterwards=Afterwards({"type": "array"})))


@pytest.mark.parametrize(
    "url",
    [
        "https://sk-1@llm.example/v1",
        "https:///v1",
        "https://llm.example/v1?key=sk-1",
        "https://llm.example/{{name}}",
    ],
)
def test_an_endpoint_is_a_plain_address(url: str) -> None:
    plain = LlmEndpoint(base_url="https://llm.example/v1", model="large")
    check(AgentConfig(llm=(plain,)))
    with pytest.raises(Denied, match=r"config\.llm\[1\]\.base_url") as denied:
        check(AgentConfig(llm=(plain, LlmEndpoint(base_url=url, model="large"))))
    assert "sk-1" not in str(denied.value)
