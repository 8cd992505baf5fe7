import { Route, Switch } from "wouter";
import { OneSession } from "./one-session";
import { SessionList } from "./session-list";

export default function Sessions() {
  return (
    <Switch>
      <Route path="/:id">{({ id }) => <OneSession id={decodeURIComponent(id)} />}</Route>
      <Route>
        <SessionList />
      </Route>
    </Switch>
  );
}
