import { RotateCw } from "lucide-react";
import { Component, type ReactNode } from "react";
import { said } from "@/api/refusal";
import { Button } from "@/ui/button";
import { Notice } from "@/ui/notice";

/** A fault of ours stays on its page; the rest of the app goes on. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error?: unknown }> {
  override state: { error?: unknown } = {};

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    if (!("error" in this.state)) return this.props.children;
    return (
      <Notice
        kind="bad"
        title="This page failed"
        className="m-6"
        action={
          <Button
            size="sm"
            onClick={() => this.setState({ error: undefined }, () => location.reload())}
          >
            <RotateCw aria-hidden /> Reload
          </Button>
        }
      >
        {said(this.state.error)}. Nothing that the server keeps is lost.
      </Notice>
    );
  }
}
