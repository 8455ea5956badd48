import type { Command } from "../../command.ts";

/** Shells that there are scripts for. */
const SHELLS = ["bash", "zsh", "fish", "powershell"];

/** `ignite completion` */
export const command: Command = {
  args: [{ name: "shell", summary: SHELLS.join(", "), choices: SHELLS }],
  examples: [
    ["source <(ignite completion zsh)", "for this shell; put it in ~/.zshrc to keep it"],
    ["ignite completion bash > ~/.local/share/bash-completion/completions/ignite", "for bash"],
    ["ignite completion fish > ~/.config/fish/completions/ignite.fish", "for fish"],
  ],
  async run(context, input) {
    await context.complete(["completion", input.required("shell")]);
  },
};
