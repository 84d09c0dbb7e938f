// Reads every file below one directory and writes an index of their words into another: for each
// word how often it occurs and in which files. Both directories are granted by the manifest; the
// second one comes back to its owner when the program ends.
//
// Arguments: the directory to read (default /texts) and the one to write (default /out).

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

struct Entry {
  std::size_t count = 0;
  std::set<std::string> files;
};

using Index = std::map<std::string, Entry>;
using File = std::unique_ptr<std::FILE, int (*)(std::FILE *)>;

static File open_file(const std::string &path, const char *mode) {
  return File(std::fopen(path.c_str(), mode), std::fclose);
}

static bool is_directory(const std::string &path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

/// Appends the names of all files below `root`, relative to it.
static void list_files(const std::string &root, const std::string &below, std::vector<std::string> &names) {
  const std::unique_ptr<DIR, int (*)(DIR *)> directory(opendir((root + below).c_str()), closedir);
  if (!directory) return;
  while (const dirent *entry = readdir(directory.get())) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    const std::string path = below + "/" + name;
    if (is_directory(root + path)) list_files(root, path, names);
    else names.push_back(path.substr(1));
  }
}

static void add_word(Index &index, std::string &word, const std::string &file) {
  if (word.empty()) return;
  Entry &entry = index[word];
  entry.count++;
  entry.files.insert(file);
  word.clear();
}

static bool add_file(Index &index, const std::string &root, const std::string &name) {
  const File input = open_file(root + "/" + name, "rb");
  if (!input) return false;
  std::string word;
  for (int c; (c = std::fgetc(input.get())) != EOF;) {
    if (std::isalpha(c)) word.push_back(static_cast<char>(std::tolower(c)));
    else add_word(index, word, name);
  }
  add_word(index, word, name);
  return !std::ferror(input.get());
}

/// Writes a draft first: whoever reads `path` sees the whole index or the one before it.
static bool write_index(const Index &index, const std::string &path) {
  const std::string draft = path + ".new";
  {
    const File output = open_file(draft, "wb");
    if (!output) return false;
    for (const auto &[word, entry] : index) {
      std::fprintf(output.get(), "%s %zu", word.c_str(), entry.count);
      for (const auto &file : entry.files) std::fprintf(output.get(), " %s", file.c_str());
      std::fputc('\n', output.get());
    }
    if (std::fflush(output.get()) != 0) return false;
  }
  return std::rename(draft.c_str(), path.c_str()) == 0;
}

static void print_summary(const Index &index, std::size_t files) {
  std::vector<std::pair<std::size_t, std::string>> top;
  std::size_t words = 0;
  for (const auto &[word, entry] : index) {
    words += entry.count;
    top.emplace_back(entry.count, word);
  }
  std::stable_sort(top.begin(), top.end(), [](const auto &a, const auto &b) { return a.first > b.first; });
  std::printf("%zu files, %zu words, %zu different\n", files, words, index.size());
  for (std::size_t i = 0; i < std::min<std::size_t>(3, top.size()); i++) {
    std::printf("  %s %zu\n", top[i].second.c_str(), top[i].first);
  }
}

static int fail(const char *what, const std::string &path) {
  std::fprintf(stderr, "word-index: %s %s\n", what, path.c_str());
  return 1;
}

int main(int argc, char **argv) {
  const std::string from = argc > 1 ? argv[1] : "/texts";
  const std::string to = argc > 2 ? argv[2] : "/out";
  if (!is_directory(from)) return fail("no directory was granted at", from);
  std::vector<std::string> names;
  list_files(from, "", names);
  std::sort(names.begin(), names.end());
  Index index;
  for (const auto &name : names) {
    if (!add_file(index, from, name)) return fail("cannot read", from + "/" + name);
  }
  if (!write_index(index, to + "/index.txt")) return fail("cannot write", to + "/index.txt");
  print_summary(index, names.size());
  return 0;
}
