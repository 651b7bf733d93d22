"""Scripts by which a model tries to get a number of its own past the check, through the graph.

Each script is a whole run with a scripted model over the real tools: the number 41357 (or what it
would be rounded to) stands in no result, and may stand in no answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from tool_use_om.agent.prompts import prompt_facts
from tool_use_om.data.values import Untyped

HIDDEN_NUMBER = "41357"
_STATS: tuple[str, Mapping[str, Any]] = ("show_session_stats", {})


@dataclass(frozen=True)
class Script:
    """What a model does in one run.

    Parameters
    ----------
    question : may hold the number: a question is no source
    calls : (tool, arguments) in order; arguments may hold it, too
    prose, claims : the answer, first and again
    plan : what else the plan reply holds
    """

    question: str = "How many sessions are there?"
    calls: tuple[tuple[str, Mapping[str, Any]], ...] = (_STATS,)
    prose: str = ""
    claims: tuple[Untyped, ...] = ()
    plan: Mapping[str, Any] = field(default_factory=dict)


class Scripted(BaseChatModel):
    """A chat model that follows a script."""

    script: Untyped

    @property
    def _llm_type(self) -> str:
        return "tuom-scripted"

    def bind_tools(self, tools: Sequence[Untyped], **kwargs: Untyped) -> Untyped:  # noqa: ARG002 - LangChain's signature
        """Return the model itself: it calls what its script says."""
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - LangChain's signature
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 - likewise
        **kwargs: Untyped,  # noqa: ARG002 - likewise
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._reply(messages))])

    def _reply(self, messages: list[BaseMessage]) -> AIMessage:
        phase = str(messages[0].content).partition("\n")[0].removeprefix("PHASE: ")
        script: Script = self.script
        if phase == "plan":
            steps = [{"tool": tool, "why": HIDDEN_NUMBER} for tool, _ in script.calls]
            return AIMessage(json.dumps({"steps": steps, **script.plan}))
        if phase == "act":
            last = max(i for i, m in enumerate(messages) if isinstance(m, HumanMessage))
            done = sum(isinstance(m, ToolMessage) for m in messages[last:])
            if done >= len(script.calls):
                return AIMessage("done")
            tool, args = script.calls[done]
            return AIMessage("", tool_calls=[{"name": tool, "args": dict(args), "id": f"c{done}"}])
        prompt_facts(messages[0])  # type: ignore[arg-type]  # the first is the system prompt
        return AIMessage(json.dumps({"prose": script.prose, "claims": list(script.claims)}))


def shows_number(answer: str) -> bool:
    """Tell whether the number reached a reader, whatever separates its digits."""
    return HIDDEN_NUMBER in "".join(c for c in answer if c.isalnum())


_ASK = f"Is the number of sessions {HIDDEN_NUMBER}?"
_WINDOW = ("filter_by_time", {"end_s": 4.1357})
SCRIPTS: Mapping[str, Script] = {
    "restated from the question": Script(question=_ASK, prose=f"Yes, it is {HIDDEN_NUMBER}."),
    "quoted from the question": Script(
        question=_ASK, prose=f'You asked about "{HIDDEN_NUMBER}" sessions.'
    ),
    "a phrase not understood": Script(
        prose="Here is {r1#/n_sessions}.",
        plan={"not_understood": [f"there are {HIDDEN_NUMBER} sessions"]},
    ),
    "a direct reply": Script(calls=(), plan={"reply": f"There are {HIDDEN_NUMBER} sessions."}),
    "an argument of a call": Script(
        calls=(("show_session_stats", {"min_duration_s": 4.1357}),),
        prose="{r1#/args/min_duration_s}",
    ),
    "an argument that the result echoes": Script(
        calls=(_STATS, ("show_channel_stats", {"statistic": "percentile", "percent": 41.357})),
        prose="The share is {r2#/percent}.",
    ),
    "an argument as the time selected": Script(
        calls=(_STATS, _WINDOW), prose=f"There are {HIDDEN_NUMBER} sessions in {{r2#/end_s}}."
    ),
    "the text of an error": Script(
        calls=(("show_session_stats", {"labels": [f"accuracy {HIDDEN_NUMBER}"]}), _STATS),
        prose="{r1#/error}",
    ),
    "an error by name": Script(
        calls=(("filter_by_time", {"labels": [HIDDEN_NUMBER]}), _STATS),
        prose=f"As r1 says, it is {HIDDEN_NUMBER}.",
    ),
    "a remark of a tool": Script(
        calls=(("filter_by_time", {"end_s": 4.0}),), prose="{r1#/note} {r1#/why} {r1#/notes/0}"
    ),
    "a name in a claim's id": Script(
        prose=f"{{c1}} {{{HIDDEN_NUMBER}}}",
        claims=({"id": HIDDEN_NUMBER, "kind": "found", "left": "r1#/n_sessions"},),
    ),
    "a claim with text of its own": Script(
        prose="{c1}.",
        claims=({"id": "c1", "kind": "found", "left": "r1#/n_sessions", "text": HIDDEN_NUMBER},),
    ),
    "a claim of an unknown kind": Script(
        prose="{c1}.", claims=({"id": "c1", "kind": HIDDEN_NUMBER, "left": HIDDEN_NUMBER},)
    ),
    "digits of another script": Script(prose="There are ４１３５７ sessions, or ⁴¹³⁵⁷."),
    "digits apart": Script(prose="There are 4 1 3 5 7 sessions."),
    "digits beside a reference": Script(
        prose=f"There are {HIDDEN_NUMBER}{{r1#/n_sessions}} sessions."
    ),
    "an encoded path": Script(prose="{r1#/%34%31%33%35%37} is the number."),
    "a reference with a style": Script(prose=f"{{r1#/n_sessions|{HIDDEN_NUMBER}}} sessions."),
    "doubled braces": Script(prose=f"There are {{{{{HIDDEN_NUMBER}}}}} sessions."),
    "a table": Script(prose=f"| sessions |\n|---|\n| {HIDDEN_NUMBER} |"),
    "a heading": Script(prose=f"# {HIDDEN_NUMBER} sessions\n\nHere is {{r1#/n_sessions}}."),
    "a list mark": Script(prose=f"{HIDDEN_NUMBER}. {{r1#/n_sessions}}"),
    "a link": Script(prose=f"See [here](https://x/{HIDDEN_NUMBER}), {{r1#/n_sessions}}."),
    "a comment of HTML": Script(prose=f"<!-- {HIDDEN_NUMBER} --> {{r1#/n_sessions}}"),
    "a reason of the plan": Script(prose=f"The plan says {HIDDEN_NUMBER}."),
    "a reply that is no form": Script(prose=""),
    "findings of the old form": Script(
        prose=f"There are {HIDDEN_NUMBER} sessions.",
        plan={"findings": [{"statement": HIDDEN_NUMBER, "value": int(HIDDEN_NUMBER)}]},
    ),
}
