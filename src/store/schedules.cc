#include "store/schedules.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "store/renewer_text.h"

namespace certrebind {

namespace {

constexpr size_t kScriptLimit = 64 << 10;

// In systemd's order: the first directory that contains the unit wins (systemd.unit(5)).
constexpr const char* kUnitDirectories[] = {"/etc/systemd/system", "/run/systemd/system",
                                            "/usr/local/lib/systemd/system",
                                            "/usr/lib/systemd/system", "/lib/systemd/system"};

constexpr const char* kCronPrograms[] = {
    "/usr/sbin/cron", "/usr/sbin/crond", "/usr/sbin/anacron", "/usr/bin/crond",
    "/usr/lib/systemd/system-generators/systemd-crontab-generator"};

bool systemd_runs(const Files& files) {
  return files.stat("/run/systemd/system").has_value();  // sd_booted(3)
}

bool cron_is_there(const Files& files) {
  return std::ranges::any_of(kCronPrograms,
                             [&](const char* path) { return files.stat(path).has_value(); });
}

std::vector<std::string> names_in(const Files& files, const std::string& directory) {
  auto names = files.list(directory);
  return names ? std::move(*names) : std::vector<std::string>();
}

// run-parts(8) and cron skip names with other characters, above all "x.dpkg-old".
bool cron_takes(const std::string& name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return c == '-' || c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
  });
}

// The lines of a script or unit. A line that ends in a backslash is joined with the next.
std::vector<std::string> whole_lines(std::string_view text) {
  std::vector<std::string> lines;
  bool joined = false;
  for (const std::string& line : split(text, '\n')) {
    if (joined) {
      lines.back() += line;
    } else {
      lines.push_back(line);
    }
    joined = lines.back().ends_with('\\');
    if (joined) lines.back().back() = ' ';
  }
  return lines;
}

std::vector<std::vector<std::string>> words_of_script(const std::string& text) {
  std::vector<std::vector<std::string>> lines;
  if (!text.starts_with("#!")) return lines;
  for (const std::string& line : whole_lines(text))
    if (auto words = shell_words(line); !words.empty()) lines.push_back(std::move(words));
  return lines;
}

// Adds a command, and those in the scripts that it names (one level).
void add_line(const Files& files, const std::string& line, Job& job) {
  job.lines.push_back(shell_words(line));
  std::vector<std::string> words = job.lines.back();
  for (const std::string& word : words) {
    if (!word.starts_with('/')) continue;
    auto text = files.read(word, kScriptLimit);
    if (!text) continue;
    for (auto& inner : words_of_script(*text)) job.lines.push_back(std::move(inner));
  }
}

class Timers {
 public:
  explicit Timers(const Files& files) : files_(files) {}

  void add_all(std::vector<Job>& jobs) const {
    std::set<std::string> seen;
    for (const char* directory : kUnitDirectories)
      for (const std::string& name : names_in(files_, directory))
        if (name.ends_with(".timer") && seen.insert(name).second) add(name, jobs);
  }

 private:
  void add(const std::string& name, std::vector<Job>& jobs) const {
    std::string text = unit_text(name);
    Values timer = plain_values(text);
    std::string stem = name.substr(0, name.size() - 6);
    std::string service = timer["Unit"].empty() ? stem + ".service" : timer["Unit"];
    Job job{.by = name, .asleep = {}, .lines = {}, .command = {}};
    for (const std::string& line : whole_lines(unit_text(service)))
      if (trim(line).starts_with("ExecStart="))
        add_line(files_, program_line(trim(line).substr(10)), job);
    if (job.lines.empty()) return;
    bool is_template = stem.ends_with('@');
    if (!is_enabled(name)) {
      job.asleep = "it is not enabled";
    } else if (!systemd_runs(files_)) {
      job.asleep = "systemd does not run this host";
    } else if (!is_template) {
      job.command = {"/usr/bin/systemctl", "start", service};
    }
    jobs.push_back(std::move(job));
  }

  // The line without the prefix characters that change how systemd starts it (systemd.service(5)).
  static std::string program_line(std::string_view line) {
    while (!line.empty() && std::string_view("-@:+!|").find(line[0]) != std::string_view::npos)
      line.remove_prefix(1);
    return std::string(trim(line));
  }

  // The unit and its drop-ins; empty for a masked one (a link to /dev/null).
  std::string unit_text(const std::string& name) const {
    std::string text;
    for (const char* directory : kUnitDirectories) {
      std::string path = std::string(directory) + "/" + name;
      if (!files_.lstat(path)) continue;
      auto unit = files_.read(path, kPemLimit);
      if (!unit) return {};
      text = *unit;
      break;
    }
    for (const char* directory : kUnitDirectories)
      for (const std::string& part : names_in(files_, std::string(directory) + "/" + name + ".d"))
        if (auto more = files_.read(std::string(directory) + "/" + name + ".d/" + part, kPemLimit))
          text += "\n" + *more;
    return text;
  }

  // True if some unit's .wants or .requires directory links to it; for a template, to any instance.
  bool is_enabled(const std::string& name) const {
    std::string begin = name.substr(0, name.size() - 6);
    for (const char* directory : kUnitDirectories)
      for (const std::string& unit : names_in(files_, directory)) {
        if (!unit.ends_with(".wants") && !unit.ends_with(".requires")) continue;
        for (const std::string& link : names_in(files_, std::string(directory) + "/" + unit))
          if (link == name || (begin.ends_with('@') && link.starts_with(begin))) return true;
      }
    return false;
  }

  const Files& files_;
};

class Cron {
 public:
  explicit Cron(const Files& files) : files_(files) {}

  void add_all(std::vector<Job>& jobs) const {
    size_t before = jobs.size();
    add_table("/etc/crontab", "", jobs);
    for (const std::string& name : names_in(files_, "/etc/cron.d"))
      if (cron_takes(name)) add_table("/etc/cron.d/" + name, "", jobs);
    for (const char* spool : {"/var/spool/cron/crontabs", "/var/spool/cron"})
      for (const std::string& user : names_in(files_, spool))
        add_table(std::string(spool) + "/" + user, user, jobs);
    for (const char* often : {"hourly", "daily", "weekly", "monthly"})
      add_scripts(std::string("/etc/cron.") + often, jobs);
    if (cron_is_there(files_)) return;
    for (size_t i = before; i < jobs.size(); ++i) {
      jobs[i].asleep = "no cron is installed";
      jobs[i].command.clear();
    }
  }

 private:
  // `owner`: the owner of a user's crontab; empty if each line names the user.
  void add_table(const std::string& path, const std::string& owner, std::vector<Job>& jobs) const {
    auto text = files_.read(path, kPemLimit);
    if (!text) return;
    Values settings;
    size_t number = 0;
    for (const std::string& whole : split(*text, '\n')) {
      ++number;
      std::string_view line = trim(whole);
      if (line.empty() || line[0] == '#') continue;
      if (line[0] != '@' && line[0] != '*' && (line[0] < '0' || line[0] > '9')) {
        settings = shell_values(line, std::move(settings));
        continue;
      }
      add_entry(fmt::format("{}:{}", path, number), line, owner, settings, jobs);
    }
  }

  void add_entry(std::string by, std::string_view line, const std::string& owner,
                 const Values& settings, std::vector<Job>& jobs) const {
    auto next_word = [&line] {
      size_t end = std::min(line.find_first_of(" \t"), line.size());
      std::string word(line.substr(0, end));
      line = trim(line.substr(end));
      return word;
    };
    for (int field = line[0] == '@' ? 1 : 5; field > 0; --field) next_word();
    std::string user = owner.empty() ? next_word() : owner;
    Job job{.by = std::move(by), .asleep = {}, .lines = {}, .command = {}};
    add_line(files_, std::string(line), job);
    // Debian's packages have this line, which leaves the work to their systemd timer.
    bool yields = line.find("-d /run/systemd/system") != std::string_view::npos;
    if (yields && systemd_runs(files_)) {
      job.asleep = "it leaves the work to systemd";
    } else if (user == "root" && line.find('%') == std::string_view::npos) {
      job.command = command_with(settings, line);
    }
    jobs.push_back(std::move(job));
  }

  // Empty if the table sets other variables: they may be secrets, which must not become arguments.
  static std::vector<std::string> command_with(const Values& settings, std::string_view line) {
    std::vector<std::string> command = {"/usr/bin/env"};
    for (const auto& [name, value] : settings) {
      if (name.starts_with("MAIL") || name == "CRON_TZ") continue;
      if (name != "PATH" && name != "SHELL" && name != "HOME") return {};
      command.push_back(name + "=" + value);
    }
    for (const char* word : {"/bin/sh", "-c"}) command.emplace_back(word);
    command.emplace_back(line);
    return command;
  }

  void add_scripts(const std::string& directory, std::vector<Job>& jobs) const {
    for (const std::string& name : names_in(files_, directory)) {
      std::string path = directory + "/" + name;
      auto info = files_.stat(path);
      if (!cron_takes(name) || !info || (info->mode & 0111) == 0) continue;
      Job job{.by = path, .asleep = {}, .lines = {}, .command = {path}};
      add_line(files_, path, job);
      jobs.push_back(std::move(job));
    }
  }

  const Files& files_;
};

}  // namespace

std::vector<Job> regular_jobs(const Files& files) {
  std::vector<Job> jobs;
  Timers(files).add_all(jobs);
  Cron(files).add_all(jobs);
  return jobs;
}

std::vector<std::vector<std::string>> lines_that_run(const Files& files, const Job& job,
                                                     const std::vector<std::string>& programs) {
  auto is_start = [&](const std::string& word) {
    if (std::ranges::find(programs, file_name(word)) == programs.end()) return false;
    auto info = word.starts_with('/') ? files.stat(word) : Result<FileInfo>();
    return !info || info->kind != FileKind::directory;
  };
  std::vector<std::vector<std::string>> lines;
  for (const auto& words : job.lines)
    if (std::ranges::any_of(words, is_start)) lines.push_back(words);
  return lines;
}

}  // namespace certrebind
