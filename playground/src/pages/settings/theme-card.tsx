import { SunMoon } from "lucide-react";
import { chooseTheme, type Theme, theme } from "@/shell/theme";
import { Card, CardBody, CardHeader, CardTitle } from "@/ui/card";
import { Field, Select } from "@/ui/field";
import { useStore } from "@/use-store";

export function ThemeCard() {
  const chosen = useStore(theme);
  return (
    <Card aria-label="Looks">
      <CardHeader>
        <CardTitle className="flex items-center gap-2">
          <SunMoon aria-hidden className="size-4 text-royal-ink" /> Looks
        </CardTitle>
      </CardHeader>
      <CardBody>
        <Field label="Colours" hint="Kept in this browser.">
          {(field) => (
            <Select
              {...field}
              value={chosen}
              onChange={({ target }) => chooseTheme(target.value as Theme)}
            >
              <option value="system">as the system has them</option>
              <option value="light">light</option>
              <option value="dark">dark</option>
            </Select>
          )}
        </Field>
      </CardBody>
    </Card>
  );
}
