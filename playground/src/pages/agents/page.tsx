import { Route, Switch } from "wouter";
import { AgentList } from "./agent-list";
import { NewAgent, OneAgent } from "./one-agent";

export default function Agents() {
  return (
    <Switch>
      <Route path="/new">
        <NewAgent />
      </Route>
      <Route path="/:id">{({ id }) => <OneAgent key={id} id={decodeURIComponent(id)} />}</Route>
      <Route>
        <AgentList />
      </Route>
    </Switch>
  );
}
