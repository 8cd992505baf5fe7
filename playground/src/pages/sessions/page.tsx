import { lazy } from "react";
import { Route, Switch } from "wouter";
import { OneSession } from "./one-session";
import { SessionList } from "./session-list";

const Analytics = lazy(() => import("./analytics/page"));

export default function Sessions() {
  return (
    <Switch>
      <Route path="/analytics">
        <Analytics />
      </Route>
      <Route path="/:id">{({ id }) => <OneSession key={id} id={decodeURIComponent(id)} />}</Route>
      <Route>
        <SessionList />
      </Route>
    </Switch>
  );
}
