import { Route, Switch } from "wouter";
import { CollectionList } from "./collection-list";
import { OneCollection } from "./one-collection";

export default function Knowledge() {
  return (
    <Switch>
      <Route path="/:id">
        {({ id }) => <OneCollection key={id} id={decodeURIComponent(id)} />}
      </Route>
      <Route>
        <CollectionList />
      </Route>
    </Switch>
  );
}
