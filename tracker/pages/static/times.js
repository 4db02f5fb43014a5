// Times in the viewer's zone; what they are in UTC stays as their title.
const format = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' })

function rewrite () {
  for (const time of document.querySelectorAll('time[datetime]:not([title])')) {
    const at = new Date(time.dateTime)
    if (isNaN(at)) continue
    time.title = time.textContent
    const today = 'clock' in time.dataset && at.toDateString() === new Date().toDateString()
    time.textContent = (today ? clock : format).format(at)
  }
}

rewrite()
new MutationObserver(rewrite).observe(document.getElementById('main'), { childList: true, subtree: true })
