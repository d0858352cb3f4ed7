import { CircleCheck, CircleX } from "lucide-react";
import { Toaster as Sonner } from "sonner";
import { usePreference } from "@/prefs/local";
import { isDark, theme } from "@/prefs/theme";

export function Toaster({ label }: { label: string }) {
  const choice = usePreference(theme);
  return (
    <Sonner
      containerAriaLabel={label}
      theme={isDark(choice) ? "dark" : "light"}
      position="bottom-right"
      gap={8}
      icons={{
        success: <CircleCheck size={17} className="text-ok" />,
        error: <CircleX size={17} className="text-bad" />,
      }}
      toastOptions={{
        unstyled: true,
        classNames: {
          toast: "popup flex w-[min(356px,calc(100vw-32px))] items-start gap-2.5 p-3 text-[14px]",
          title: "font-medium text-ink",
          description: "text-ink-2 text-[13px]",
          icon: "mt-0.5",
          actionButton: "ml-auto font-medium text-accent hover:underline",
        },
      }}
    />
  );
}
